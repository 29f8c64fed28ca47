"""One trace from a door to a receiver, through all three services and both topics, as they run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

import aiosmtplib
import pytest
import pytest_asyncio
from opentelemetry.sdk.trace import ReadableSpan
from pydantic import SecretStr

from services.classifier.app import create_app as classifier
from services.classifier.settings import ClassifierSettings
from services.notifier.app import create_app as notifier
from services.notifier.settings import NotifierSettings
from shared import clock
from shared.domain.api_key import Scope
from shared.domain.workspace import Workspace
from shared.settings import KafkaSettings, MongoSettings
from shared.store.api_keys import ApiKeyStore
from shared.store.connection import Store
from shared.store.directory import DirectoryStore
from shared.telemetry import trace
from tests.support.company import COMPANY
from tests.support.doors import INGEST, MAILBOX
from tests.support.ingest_service import Ingest, ingest
from tests.support.served import served
from tests.support.traces import Recorded, chain, recorded
from tests.support.wait import until
from tests.support.webhook_sink import SECRET, WebhookSink

pytestmark = pytest.mark.timeout(120)

TEXT = "The quotation took three weeks, says somebody at Mirabelle."
SENDER = "mirabelle@customer.example"
WAY = ("publish feedback.received.v1", "process feedback.received.v1", "publish feedback.classified.v1")
TO_THE_END = (*WAY, "process feedback.classified.v1", "deliver")


def to(delivered: ReadableSpan) -> object:
    return (delivered.attributes or {}).get("listeningpost.receiver")


@dataclass
class House:
    """All services; `hook` is told of everything."""

    ingest: Ingest
    hook: WebhookSink
    token: str
    spans: Recorded

    async def post(self, *texts: str, headers: dict[str, str] | None = None) -> None:
        body = [{"text": text, "author": {"email": SENDER}} for text in texts]
        shown = {"authorization": f"Bearer {self.token}", **(headers or {})}
        answer = await self.ingest.http.post("/v1/feedback", json=body, headers=shown)
        assert answer.status_code == 202, answer.text

    async def delivered(self, count: int = 1) -> list[ReadableSpan]:
        def sent() -> list[ReadableSpan]:
            # Whoever spoke would be answered by mail, for which there is no server here.
            found = [one for one in self.spans.named("deliver") if to(one) == "webhook"]
            assert len(found) >= count
            # The span of the batch ends last.
            assert len(self.spans.named("process feedback.classified.v1 batch")) >= 1
            return found

        return await until(sent, within_s=40, what=f"{count} are delivered")


@pytest_asyncio.fixture
async def house(
    kafka: KafkaSettings, mongo: MongoSettings, store: Store, tmp_path: Path
) -> AsyncIterator[House]:
    async with AsyncExitStack() as stack:
        hook = await stack.enter_async_context(WebhookSink())
        receivers = [{"id": "hook", "kind": "webhook", "url": hook.url, "secret": "secret:hook"}]
        workspace = {**COMPANY, "receivers": receivers, "route": {"receiver": "hook"}}
        valid = Workspace.model_validate(workspace)
        await DirectoryStore(store).propose(valid, "tests", expected=0, now=clock.now())
        _, token = await ApiKeyStore(store).create("tests", [Scope.WRITE], now=clock.now())
        common = {"kafka": kafka, "mongo": mongo, "secrets": {"hook": SecretStr(SECRET)}}
        tagging = ClassifierSettings.model_validate({**common, "classifier": {"engine": "constant"}})
        telling = NotifierSettings.model_validate(
            {**common, "notifier": {"webhook": {"allowed_networks": ["127.0.0.0/8"]}}}
        )
        spans = stack.enter_context(recorded())
        running = await stack.enter_async_context(ingest(kafka, mongo, store, tmp_path / "spool", **INGEST))
        await stack.enter_async_context(served(classifier(tagging)))
        await stack.enter_async_context(served(notifier(telling)))
        yield House(running, hook, token, spans)


async def test_a_request_and_its_notice_are_one_trace(house: House) -> None:
    await house.post(TEXT)
    (delivered,) = await house.delivered()
    trace_id = delivered.context.trace_id
    spans = house.spans.of(trace_id)
    assert chain(spans, delivered) == ["POST /v1/feedback", *TO_THE_END]
    handled = {"classify": WAY[1], "store": WAY[1], "route": TO_THE_END[3]}
    for phase, above in handled.items():
        (span,) = [one for one in spans if one.name == phase]
        assert chain(spans, span)[-2] == above
    (call,) = house.hook.calls
    assert call.headers["traceparent"].startswith(f"00-{trace_id:032x}-{delivered.context.span_id:016x}-")


async def test_a_batch_has_a_span_that_links_to_its_messages(house: House) -> None:
    await house.post(TEXT)
    (delivered,) = await house.delivered()
    (batch,) = house.spans.named("process feedback.received.v1 batch")
    (sent,) = house.spans.named("publish feedback.received.v1")
    (single,) = house.spans.named("process feedback.received.v1")
    assert batch.context.trace_id != delivered.context.trace_id
    assert [link.context.span_id for link in batch.links] == [sent.context.span_id]
    assert [link.context.span_id for link in single.links] == [batch.context.span_id]


async def test_the_caller_s_trace_goes_on(house: House) -> None:
    parent = trace.start()
    await house.post(TEXT, headers={"traceparent": parent})
    (delivered,) = await house.delivered()
    assert f"{delivered.context.trace_id:032x}" == trace.trace_id(parent)
    (request,) = house.spans.named("POST /v1/feedback")
    assert request.parent is not None
    assert f"{request.parent.span_id:016x}" == parent.split("-")[2]


async def test_what_the_caller_does_not_sample_is_carried_and_not_recorded(house: House) -> None:
    quiet = trace.start().removesuffix("01") + "00"
    await house.post(TEXT, headers={"traceparent": quiet})
    call = (await until(lambda: house.hook.calls, within_s=40, what="it is told"))[0]
    assert trace.trace_id(call.headers["traceparent"]) == trace.trace_id(quiet)
    assert call.headers["traceparent"].endswith("-00")
    assert not house.spans.of(int(trace.trace_id(quiet), 16))


async def test_a_mail_is_a_trace_and_nothing_of_people_is_in_it(house: House) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = SENDER, MAILBOX, "Mirabelle"
    mail.set_content(TEXT)
    client = aiosmtplib.SMTP(
        hostname="127.0.0.1", port=house.ingest.mail_port, use_tls=False, start_tls=False
    )
    async with client, asyncio.timeout(20):
        await client.send_message(mail)
    (delivered,) = await house.delivered()
    assert chain(house.spans.spans, delivered) == ["mail", *TO_THE_END]
    await house.post(TEXT)
    await house.delivered(2)
    said = " ".join(f"{span.name} {dict(span.attributes or {})} {span.events}" for span in house.spans.spans)
    assert "'listeningpost.receiver': 'webhook'" in said
    for private in ("quotation", "irabelle", "customer.example", house.token, SECRET, "127.0.0.1", MAILBOX):
        assert private not in said
