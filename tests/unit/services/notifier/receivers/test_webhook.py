"""What is particular to webhooks: the signature, the guard, what each status means."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from services.notifier.receivers.webhook import WebhookReceiver
from shared.domain.delivery import Content, Delivery, ProviderRef, Purpose, Target
from shared.errors import PermanentError, Reason, TransientError
from tests.support.company import NOW
from tests.support.http_server import Reply
from tests.support.receiver_benches import reason_of, settings
from tests.support.webhook_sink import WebhookSink

ROW = Delivery(
    id="d-1",
    notice_id="n-1",
    feedback_id="f-1",
    purpose=Purpose.NOTICE,
    recipient="place:hook",
    chain=(),
    due_at=NOW,
    revision=1,
    received_at=NOW,
    content=Content(title="größer", text="日本語 🚀", polarity="change"),
    trace="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
)


@pytest_asyncio.fixture
async def sink() -> AsyncIterator[WebhookSink]:
    async with WebhookSink() as sink:
        yield sink


async def made(**changes: Any) -> WebhookReceiver:  # noqa: ANN401 - settings
    receiver = WebhookReceiver(
        settings(webhook={"allowed_networks": ["127.0.0.0/8"], "timeout_s": 1.0} | changes)
    )
    await receiver.start()
    return receiver


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[WebhookReceiver]:
    receiver = await made()
    yield receiver
    await receiver.stop()


def hook(sink: WebhookSink, secret: str | None = "secret:hook") -> Target:
    return Target("webhook", f"{sink.url}/in", secret=secret)


async def test_the_signature_verifies_whatever_the_script(
    sink: WebhookSink, receiver: WebhookReceiver
) -> None:
    ref = await receiver.send(ROW, hook(sink))
    (call,) = sink.calls
    assert call.headers["webhook-id"] == "d-1"
    assert call.headers["content-type"] == "application/json"
    assert call.headers["traceparent"] == ROW.trace
    assert call.body["data"]["text"] == "日本語 🚀"
    assert ref.id == "d-1"


async def test_without_a_secret_it_is_not_signed(sink: WebhookSink, receiver: WebhookReceiver) -> None:
    sink.secret = None
    await receiver.send(ROW, hook(sink, secret=None))
    assert "webhook-signature" not in sink.calls[0].headers


@pytest.mark.parametrize("reference", ["secret:missing", "secret:odd"])
async def test_a_secret_that_is_missing_or_none_is_misconfigured(
    sink: WebhookSink, receiver: WebhookReceiver, reference: str
) -> None:
    with pytest.raises(PermanentError) as raised:
        await receiver.send(ROW, hook(sink, secret=reference))
    assert raised.value.reason is Reason.CONFIGURATION
    assert "%%%" not in str(raised.value)
    assert sink.calls == []


@pytest.mark.parametrize(
    ("status", "kind", "reason"),
    [
        (400, PermanentError, Reason.REJECTED),
        (401, PermanentError, Reason.REJECTED),
        (404, PermanentError, Reason.REJECTED),
        (410, PermanentError, Reason.REJECTED),
        (301, PermanentError, Reason.REJECTED),
        (307, PermanentError, Reason.REJECTED),
        (408, TransientError, Reason.UNREACHABLE),
        (425, TransientError, Reason.UNREACHABLE),
        (429, TransientError, Reason.RATE_LIMITED),
        (500, TransientError, Reason.UNREACHABLE),
        (502, TransientError, Reason.UNREACHABLE),
        (503, TransientError, Reason.UNREACHABLE),
        (504, TransientError, Reason.UNREACHABLE),
    ],
)
async def test_what_a_status_means(
    sink: WebhookSink,
    receiver: WebhookReceiver,
    status: int,
    kind: type[PermanentError | TransientError],
    reason: Reason,
) -> None:
    sink.reply = Reply(status=status, headers={"location": "http://127.0.0.1/", "retry-after": "9"})
    with pytest.raises(kind) as raised:
        await receiver.send(ROW, hook(sink))
    assert reason_of(raised.value) is reason
    assert len(sink.calls) == 1
    if isinstance(raised.value, TransientError):
        assert raised.value.retry_after_s == 9.0


@pytest.mark.parametrize("status", [200, 201, 202, 204])
async def test_any_success_is_one(sink: WebhookSink, receiver: WebhookReceiver, status: int) -> None:
    sink.reply = Reply(status=status)
    await receiver.send(ROW, hook(sink))


async def test_our_own_network_is_not_called_unless_it_is_allowed(sink: WebhookSink) -> None:
    receiver = await made(allowed_networks=[])
    with pytest.raises(PermanentError) as raised:
        await receiver.send(ROW, hook(sink))
    assert raised.value.reason is Reason.FORBIDDEN
    assert sink.calls == []
    await receiver.stop()


async def test_doubt_about_an_amendment_is_none_it_is_repeated(
    sink: WebhookSink, receiver: WebhookReceiver
) -> None:
    sink.reply = Reply(hang_up=True)
    original = ProviderRef("webhook", sink.url, "d-0")
    with pytest.raises(TransientError):
        await receiver.send(replace(ROW, purpose=Purpose.REDACTION, amends="d-0"), hook(sink), original)


def test_a_lane_is_a_host() -> None:
    one = WebhookReceiver(settings())
    assert one.lane(Target("webhook", "https://a.example/x?token=1")) == "a.example"
    assert one.lane(Target("webhook", "https://b.example:8443/x")) == "b.example:8443"
