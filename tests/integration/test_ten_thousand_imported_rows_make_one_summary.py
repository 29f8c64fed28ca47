"""The whole house, from `POST /v1/feedback` to mailbox, Slack and webhook: an import wakes nobody up."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from services.classifier.app import create_app as create_classifier
from services.classifier.settings import ClassifierSettings
from services.notifier.app import create_app as create_notifier
from services.notifier.settings import NotifierSettings
from shared import clock
from shared.component import Component
from shared.domain.api_key import Scope
from shared.domain.workspace import Workspace
from shared.errors import DependencyDown
from shared.service import Service
from shared.settings import KafkaSettings, MongoSettings
from shared.store.api_keys import ApiKeyStore
from shared.store.connection import Store
from shared.store.directory import DirectoryStore
from shared.store.owners import BUCKETS, DELIVERIES, FEEDBACK
from tests.support.company import COMPANY
from tests.support.ingest_service import ingest
from tests.support.slack_api import TOKEN, SlackApi
from tests.support.smtp_server import SmtpServer
from tests.support.wait import until
from tests.support.webhook_sink import SECRET, WebhookSink

ROWS = 10_000
QUIET_S = 3.0
pytestmark = pytest.mark.timeout(240)


def imported(numbers: range, batch: str) -> bytes:
    """Rows of 2019, each by somebody who could be answered."""
    return b"\n".join(
        json.dumps(
            {
                "external_id": f"row-{number}",
                "text": f"Row {number}: the quote took {number % 90} days.",
                "occurred_at": "2019-07-14T14:00:00+02:00",
                "author": {"email": f"customer{number}@acme.example"},
                "mode": "import",
                "batch": batch,
            }
        ).encode()
        for number in numbers
    )


@asynccontextmanager
async def running(service: Service) -> AsyncIterator[None]:
    started: list[Component] = []
    try:
        for component in service.components:
            await until(partial(_started, component), within_s=30, what=f"{component.name} starts")
            started.append(component)
        yield
    finally:
        for component in reversed(started):
            await component.stop()


async def _started(component: Component) -> bool:
    try:
        await component.start()
    except DependencyDown:
        return False
    return True


def company(hook: WebhookSink) -> Workspace:
    """Everybody hears by mail, the room and the hook hear of everything."""
    return Workspace.model_validate(
        {
            **COMPANY,
            "receivers": [
                {"id": "people", "kind": "people", "via": ["email", "slack"]},
                {"id": "room", "kind": "slack", "address": "C0ROOM"},
                {"id": "hook", "kind": "webhook", "url": hook.url, "secret": "secret:hook"},
            ],
            "route": {
                "receiver": "people",
                "routes": [
                    {"receiver": "room", "continue": True},
                    {"receiver": "hook", "continue": True},
                    {"receiver": "people"},
                ],
            },
        }
    )


class House:
    """What everybody got."""

    def __init__(self, store: Store, mail: SmtpServer, slack: SlackApi, hook: WebhookSink) -> None:
        self.store, self.mail, self.slack, self.hook = store, mail, slack, hook

    def notifier(self, kafka: KafkaSettings, mongo: MongoSettings) -> Service:
        sections = {
            "email": {"host": "127.0.0.1", "port": self.mail.port},
            "slack": {"bot_token": TOKEN, "api_url": self.slack.url},
            "webhook": {"allowed_networks": ["127.0.0.0/8"]},
            "summary_quiet_s": QUIET_S,
        }
        secrets = {"hook": SecretStr(SECRET)}
        return create_notifier(
            NotifierSettings.model_validate(
                {"kafka": kafka, "mongo": mongo, "notifier": sections, "secrets": secrets}
            )
        )

    async def stored(self, count: int) -> None:
        async def enough() -> bool:
            return await self.store.collection(FEEDBACK.name).estimated_document_count() >= count

        await until(enough, within_s=120, what=f"{count} pieces are stored")

    async def told(self, runs: int, within_s: float = 60) -> list[dict[str, Any]]:
        """Every delivery, once so many runs of the import were told and all of it is sent."""

        async def done() -> Sequence[dict[str, Any]]:
            bucket = await self.store.collection(BUCKETS.name).find_one({"run": runs + 1})
            if bucket is None or "opened_at" in bucket:
                return ()
            rows = await self.store.collection(DELIVERIES.name).find().to_list(None)
            return rows if all(row["state"] == "sent" for row in rows) else ()

        return list(await until(done, within_s=within_s, what=f"{runs} summaries are told"))


async def test_ten_thousand_imported_rows_make_one_summary_and_no_acknowledgement(
    kafka: KafkaSettings, mongo: MongoSettings, store: Store, tmp_path: Path
) -> None:
    async with SmtpServer() as mail, SlackApi() as slack, WebhookSink() as hook:
        await DirectoryStore(store).propose(company(hook), "tests", expected=0, now=clock.now())
        _, token = await ApiKeyStore(store).create(
            "importer", [Scope.IMPORT, Scope.WRITE], now=clock.now(), created_by="tests"
        )
        headers = {"authorization": f"Bearer {token}", "content-type": "application/x-ndjson"}
        classifier = create_classifier(
            ClassifierSettings.model_validate(
                {"kafka": kafka, "mongo": mongo, "classifier": {"engine": "constant"}}
            )
        )
        house = House(store, mail, slack, hook)
        async with (
            running(classifier),
            # Two replicas: each reads half of it, and one of them makes the summary.
            running(house.notifier(kafka, mongo)),
            running(house.notifier(kafka, mongo)),
            ingest(kafka, mongo, store, tmp_path) as door,
        ):
            answer = await door.http.post(
                "/v1/feedback", content=imported(range(ROWS), "crm 2019"), headers=headers
            )
            assert answer.status_code == 202
            await house.stored(ROWS)
            rows = await house.told(runs=1)
            assert Counter((row["purpose"], row["recipient"]) for row in rows) == {
                ("summary", "pia"): 1,
                ("summary", "place:room"): 1,
                ("summary", "place:hook"): 1,
            }
            assert {row["summary"]["pieces"] for row in rows} == {ROWS}
            assert [one.recipient for one in mail.mails] == ["pia@brightline.example"]
            assert mail.mails[0].message["Subject"] == (
                "Summary · crm 2019: 10,000 pieces, 10,000 to change, 0 to keep"
            )
            assert "said on 2019-07-14" in mail.mails[0].part("plain")
            assert [message.channel for message in slack.said()] == ["C0ROOM"]
            assert [call.body["data"]["pieces"] for call in hook.calls] == [ROWS]

            # The same file once more, with three rows added: one more summary, of these three alone.
            again = imported(range(ROWS + 3), "crm 2019")
            parts = again.split(b"\n")
            for part in (parts[:ROWS], parts[ROWS:]):
                answer = await door.http.post("/v1/feedback", content=b"\n".join(part), headers=headers)
                assert answer.status_code == 202
            await house.stored(ROWS + 3)
            rows = await house.told(runs=2, within_s=QUIET_S * 10 + 60)
            assert sorted(row["summary"]["pieces"] for row in rows) == [3, 3, 3, ROWS, ROWS, ROWS]
            assert [one.recipient for one in mail.mails] == ["pia@brightline.example"] * 2
            assert len(slack.said()) == len(hook.calls) == 2


async def test_tests_leave_their_trace_and_reach_nobody(
    kafka: KafkaSettings, mongo: MongoSettings, store: Store, tmp_path: Path
) -> None:
    async with SmtpServer() as mail, SlackApi() as slack, WebhookSink() as hook:
        await DirectoryStore(store).propose(company(hook), "tests", expected=0, now=clock.now())
        _, token = await ApiKeyStore(store).create(
            "trying", [Scope.TEST], now=clock.now(), created_by="tests"
        )
        headers = {"authorization": f"Bearer {token}"}
        classifier = create_classifier(
            ClassifierSettings.model_validate(
                {"kafka": kafka, "mongo": mongo, "classifier": {"engine": "constant"}}
            )
        )
        house = House(store, mail, slack, hook)
        async with (
            running(classifier),
            running(house.notifier(kafka, mongo)),
            ingest(kafka, mongo, store, tmp_path) as door,
        ):
            items = [{"text": f"try {n}", "author": {"email": "me@acme.example"}} for n in range(50)]
            answer = await door.http.post("/v1/feedback", json=items, headers=headers)
            assert answer.status_code == 202
            await house.stored(50)
            # A live one after them: when it has arrived, they were read as well.
            _, live = await ApiKeyStore(store).create(
                "live", [Scope.WRITE], now=clock.now(), created_by="tests"
            )

            async def let_in() -> bool:
                sent = await door.http.post(
                    "/v1/feedback",
                    json={"text": "The quote is late.", "external_id": "1"},
                    headers={"authorization": f"Bearer {live}"},
                )
                return sent.status_code == 202

            await until(let_in, within_s=10, what="the new key is known")
            await until(lambda: len(hook.calls) == 1, within_s=30, what="the live one has arrived")
        documents = await store.collection(FEEDBACK.name).find({"mode": "test"}).to_list(None)
        assert len(documents) == 50
        assert {(one["tags"]["weight"]["value"], one["tags"]["weight"]["known"]) for one in documents} == {
            (1.0, False)
        }
        assert await store.collection(BUCKETS.name).count_documents({}) == 0
        rows = await store.collection(DELIVERIES.name).find().to_list(None)
        assert {row["feedback_id"] for row in rows}.isdisjoint(one["_id"] for one in documents)
