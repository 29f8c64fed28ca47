"""What is particular to Slack: its errors, direct conversations, editing, deleting, and asking it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from services.notifier.receivers.slack import SlackReceiver
from shared.domain.delivery import Content, Delivery, ProviderRef, Purpose, Target
from shared.errors import PermanentError, Reason, TransientError, UnknownOutcome
from tests.support.company import NOW
from tests.support.http_server import Reply
from tests.support.receiver_benches import reason_of, settings
from tests.support.slack_api import TOKEN, SlackApi

ROW = Delivery(
    id="d-1",
    notice_id="n-1",
    feedback_id="f-1",
    purpose=Purpose.NOTICE,
    recipient="pia",
    chain=(),
    due_at=NOW,
    revision=1,
    received_at=NOW,
    content=Content(title="Order form", text="It is slow.", polarity="change"),
)
ROOM = Target("slack", "C0ROOM")


@pytest_asyncio.fixture
async def slack() -> AsyncIterator[SlackApi]:
    async with SlackApi() as slack:
        yield slack


@pytest_asyncio.fixture
async def receiver(slack: SlackApi) -> AsyncIterator[SlackReceiver]:
    receiver = SlackReceiver(settings(slack={"bot_token": TOKEN, "api_url": slack.url, "timeout_s": 1.0}))
    await receiver.start()
    yield receiver
    await receiver.stop()


@pytest.mark.parametrize(
    ("code", "kind", "reason"),
    [
        ("channel_not_found", PermanentError, Reason.REJECTED),
        ("not_in_channel", PermanentError, Reason.REJECTED),
        ("is_archived", PermanentError, Reason.REJECTED),
        ("msg_too_long", PermanentError, Reason.REJECTED),
        ("invalid_auth", PermanentError, Reason.CONFIGURATION),
        ("token_revoked", PermanentError, Reason.CONFIGURATION),
        ("missing_scope", PermanentError, Reason.CONFIGURATION),
        ("ratelimited", TransientError, Reason.RATE_LIMITED),
        ("rate_limited", TransientError, Reason.RATE_LIMITED),
        ("service_unavailable", TransientError, Reason.UNREACHABLE),
        ("an error nobody knows: xoxb-1", PermanentError, Reason.REJECTED),
    ],
)
async def test_what_its_errors_mean(
    slack: SlackApi,
    receiver: SlackReceiver,
    code: str,
    kind: type[PermanentError | TransientError],
    reason: Reason,
) -> None:
    slack.error = code
    with pytest.raises(kind) as raised:
        await receiver.send(ROW, ROOM)
    assert reason_of(raised.value) is reason
    assert "xoxb" not in str(raised.value)


@pytest.mark.parametrize("code", ["internal_error", "fatal_error", "request_timeout"])
async def test_errors_after_which_it_may_have_happened(
    slack: SlackApi, receiver: SlackReceiver, code: str
) -> None:
    slack.error = code
    with pytest.raises(UnknownOutcome):
        await receiver.send(ROW, ROOM)


@pytest.mark.parametrize("body", [b"<html>captive portal</html>", b"[]", b"", b"\xff\xfe"])
async def test_something_else_that_answers_is_not_slack(
    slack: SlackApi, receiver: SlackReceiver, body: bytes
) -> None:
    slack.reply, slack.acts = Reply(body=body), False
    with pytest.raises(PermanentError) as raised:
        await receiver.send(ROW, ROOM)
    assert raised.value.reason is Reason.MALFORMED


async def test_a_message_to_a_person_lies_in_a_direct_conversation(
    slack: SlackApi, receiver: SlackReceiver
) -> None:
    ref = await receiver.send(ROW, Target("slack", "U0OSCAR"))
    assert ref == ProviderRef("slack", "D0OSCAR", slack.messages[0].ts)


class TestAsking:
    async def test_it_finds_what_arrived_and_only_that(
        self, slack: SlackApi, receiver: SlackReceiver
    ) -> None:
        sent = await receiver.send(ROW, ROOM)
        await receiver.send(replace(ROW, id="d-2"), ROOM)
        assert await receiver.find(ROW, ROOM) == sent
        assert await receiver.find(replace(ROW, id="d-3"), ROOM) is None
        assert await receiver.find(ROW, Target("slack", "C0OTHER")) is None

    async def test_with_a_person_in_their_conversation(
        self, slack: SlackApi, receiver: SlackReceiver
    ) -> None:
        oscar = Target("slack", "U0OSCAR")
        sent = await receiver.send(ROW, oscar)
        assert await receiver.find(ROW, oscar) == sent
        await receiver.find(ROW, oscar)
        assert [method for method, _ in slack.calls].count("conversations.open") == 1

    async def test_in_the_thread(self, slack: SlackApi, receiver: SlackReceiver) -> None:
        under = replace(ROOM, thread="1763800000.1")
        sent = await receiver.send(ROW, under)
        assert await receiver.find(ROW, under) == sent
        assert slack.calls[-1][0] == "conversations.replies"

    async def test_on_later_pages(self, slack: SlackApi, receiver: SlackReceiver) -> None:
        slack.page = 2
        for number in range(5):
            await receiver.send(replace(ROW, id=f"d-{number}"), ROOM)
        found = await receiver.find(replace(ROW, id="d-4"), ROOM)
        assert found is not None
        assert found.id == slack.messages[4].ts

    async def test_it_does_not_read_a_whole_channel(self, slack: SlackApi, receiver: SlackReceiver) -> None:
        slack.page = 1
        for number in range(12):
            await receiver.send(replace(ROW, id=f"d-{number}"), ROOM)
        with pytest.raises(TransientError):
            await receiver.find(replace(ROW, id="missing"), ROOM)

    async def test_since_when_it_was_taken_up(self, slack: SlackApi, receiver: SlackReceiver) -> None:
        await receiver.find(replace(ROW, claimed_at=NOW), ROOM)
        assert float(slack.calls[-1][1]["oldest"]) == NOW.timestamp() - 120

    async def test_no_answer_is_no_doubt(self, slack: SlackApi, receiver: SlackReceiver) -> None:
        slack.reply = Reply(hang_up=True)
        with pytest.raises(TransientError):
            await receiver.find(ROW, ROOM)


class TestChanging:
    async def test_an_edit_changes_the_message(self, slack: SlackApi, receiver: SlackReceiver) -> None:
        ref = await receiver.send(ROW, ROOM)
        edited = replace(ROW, purpose=Purpose.AMENDMENT, content=replace(ROW.content, text="It is fast."))
        assert await receiver.send(edited, ROOM, ref) == ref
        (message,) = slack.said()
        assert (message.edits, "It is fast." in str(message.body["blocks"])) == (1, True)

    async def test_a_deletion_deletes_it_and_may_be_repeated(
        self, slack: SlackApi, receiver: SlackReceiver
    ) -> None:
        ref = await receiver.send(ROW, ROOM)
        gone = replace(ROW, purpose=Purpose.REDACTION)
        await receiver.send(gone, ROOM, ref)
        await receiver.send(gone, ROOM, ref)
        assert slack.said() == []

    async def test_what_may_not_be_deleted_loses_its_words(
        self, slack: SlackApi, receiver: SlackReceiver
    ) -> None:
        ref = await receiver.send(ROW, ROOM)
        slack.error_of["chat.delete"] = "cant_delete_message"
        await receiver.send(replace(ROW, purpose=Purpose.REDACTION), ROOM, ref)
        (message,) = slack.said()
        assert "slow" not in str(message.body["blocks"])
        assert "taken back" in message.body["text"]

    async def test_doubt_about_a_change_is_none_it_is_repeated(
        self, slack: SlackApi, receiver: SlackReceiver
    ) -> None:
        ref = await receiver.send(ROW, ROOM)
        slack.reply = Reply(hang_up=True)
        with pytest.raises(TransientError):
            await receiver.send(replace(ROW, purpose=Purpose.AMENDMENT), ROOM, ref)
