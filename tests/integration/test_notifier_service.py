"""The whole service, as `python -m services.notifier` wires it: from Kafka to a mailbox."""

from __future__ import annotations

import asyncio

from pydantic import SecretStr

from services.notifier.app import create_app
from services.notifier.settings import NotifierSettings
from shared import clock
from shared.bus.publisher import Publisher
from shared.domain.workspace import Workspace
from shared.errors import DependencyDown
from shared.events.topics import CLASSIFIED
from shared.settings import KafkaSettings, MongoSettings
from shared.store.connection import Store
from shared.store.directory import DirectoryStore
from shared.telemetry import trace
from tests.support.company import COMPANY
from tests.support.notifier_house import fresh
from tests.support.smtp_server import SmtpServer
from tests.support.wait import until
from tests.support.webhook_sink import SECRET, WebhookSink


async def test_a_classified_piece_reaches_mailbox_and_webhook(
    kafka: KafkaSettings, mongo: MongoSettings, store: Store, publisher: Publisher
) -> None:
    async with SmtpServer() as mail, WebhookSink() as hook:
        workspace = {
            **COMPANY,
            "receivers": [
                {"id": "people", "kind": "people"},
                {"id": "hook", "kind": "webhook", "url": hook.url, "secret": "secret:hook"},
            ],
            "route": {
                "receiver": "people",
                "routes": [{"receiver": "hook", "continue": True}, {"receiver": "people"}],
            },
        }
        await DirectoryStore(store).propose(
            Workspace.model_validate(workspace), "tests", expected=0, now=clock.now()
        )
        notifier = {
            "email": {"host": "127.0.0.1", "port": mail.port},
            "webhook": {"allowed_networks": ["127.0.0.0/8"]},
        }
        settings = NotifierSettings.model_validate(
            {"kafka": kafka, "mongo": mongo, "notifier": notifier, "secrets": {"hook": SecretStr(SECRET)}}
        )
        service = create_app(settings)
        parent = trace.start()
        for component in service.components:
            async with asyncio.timeout(20):
                while True:
                    try:
                        await component.start()
                        break
                    except DependencyDown:
                        continue
        try:
            await publisher.publish(CLASSIFIED, [fresh(("ordering",))], traces=[parent])
            await until(lambda: len(mail.mails) == 2 and hook.calls, within_s=20, what="everybody is told")
        finally:
            for component in reversed(service.components):
                await component.stop()
        assert {one.recipient for one in mail.mails} == {"pia@brightline.example", "ann@brightline.example"}
        sent_on = hook.calls[0].headers["traceparent"]
        assert trace.trace_id(sent_on) == trace.trace_id(parent)
        assert [component.problem() for component in service.components if component.name == "mongodb"] == [
            None
        ]
