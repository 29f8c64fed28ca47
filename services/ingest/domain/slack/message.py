"""What a Slack event means to us: a piece of feedback, a deletion, or nothing, and then why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from services.ingest.domain.slack.envelope import Envelope, Message, SlackFile, microseconds
from services.ingest.domain.slack.text import plain, without_mention, without_word
from services.ingest.domain.submission import Claim, File, Submission
from shared.errors import InvalidInput, Reason
from shared.events.feedback import Change, Hints, ReplyTo

CHANNEL: Final = "slack"
#: What people write. Everything else with a subtype tells that something happened in the channel.
_SPOKEN = frozenset({None, "file_share", "me_message", "thread_broadcast"})
_SLACKBOT = "USLACKBOT"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Skip(StrEnum):
    """Why an event is no feedback."""

    NOT_A_MESSAGE = "not_a_message"
    SUBTYPE = "subtype"
    BOT = "bot"
    UNCHANGED = "unchanged"
    OTHER_CHANNEL = "other_channel"


@dataclass(frozen=True, slots=True)
class House:
    """What the reader of events knows. `places` empty: every channel the app is in is heard."""

    name_of: Callable[[str], str | None]
    places: dict[str, Hints]
    confidential_words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Heard:
    """A submission without its files, and the files it has in Slack."""

    submission: Submission
    files: tuple[SlackFile, ...] = ()


def read(envelope: Envelope, house: House) -> Heard | Skip:
    """What an `event_callback` says. Raises InvalidInput for a message without time or channel."""
    if envelope.event is None or envelope.event_type not in {"message", "app_mention"}:
        return Skip.NOT_A_MESSAGE
    event = Message.model_validate(envelope.event)
    if event.channel is None or envelope.team_id is None:
        raise InvalidInput(Reason.MISSING_FIELD, "the message has no channel or team", field="event/channel")
    if house.places and event.channel not in house.places and event.channel_type != "im":
        return Skip.OTHER_CHANNEL
    if event.subtype == "message_deleted":
        return _deleted(envelope, event, event.previous_message, event.deleted_ts)
    if event.subtype == "message_changed":
        return _changed(envelope, event, house)
    return _spoken(envelope, event, event.channel, house, Change.CREATED)


def with_files(
    submission: Submission, files: Sequence[File | None], *, asked: int, late: bool = False
) -> Submission:
    """`submission` with the fetched files, and a line that says how many of the `asked` are missing.

    The line names no file: the name may tell who speaks in confidence.
    """
    fetched = tuple(file for file in files if file is not None)
    missing = asked - len(fetched)
    if not missing:
        return replace(submission, files=fetched)
    noun = "file is" if missing == 1 else "files are"
    note = (
        f"[{missing} {noun} still being fetched from Slack]"
        if late
        else f"[{missing} {noun} missing: not fetched]"
    )
    return replace(submission, files=fetched, text=f"{submission.text}\n\n{note}".strip())


def _changed(envelope: Envelope, event: Message, house: House) -> Heard | Skip:
    """An edit. A preview that Slack adds to a link comes as one too, with the same words and files."""
    message, before = event.message, event.previous_message
    if message is None or event.channel is None:
        raise InvalidInput(Reason.MISSING_FIELD, "the edit has no message", field="event/message")
    if message.subtype == "tombstone":
        # The first message of a thread leaves a stone in its place when it is deleted.
        return _deleted(envelope, event, before, message.ts)
    if before is not None and before.text == message.text and _file_ids(before) == _file_ids(message):
        return Skip.UNCHANGED
    changed_at = event.event_ts or event.ts
    return _spoken(envelope, message, event.channel, house, Change.EDITED, before, changed_at)


def _deleted(
    envelope: Envelope, event: Message, before: Message | None, timestamp: str | None
) -> Heard | Skip:
    if before is not None and _is_bot(before, envelope):
        return Skip.BOT
    _moment(timestamp)
    return Heard(
        Submission(
            channel=CHANNEL,
            source=envelope.team_id or "",
            external_id=f"{event.channel}:{timestamp}",
            revision=microseconds(event.event_ts or event.ts),
            change=Change.DELETED,
            reported_by=Claim("slack", ""),
        )
    )


def _spoken(
    envelope: Envelope,
    message: Message,
    channel: str,
    house: House,
    change: Change,
    before: Message | None = None,
    changed_at: str | None = None,
) -> Heard | Skip:
    if _is_bot(message, envelope):
        return Skip.BOT
    if message.subtype not in _SPOKEN or message.user is None:
        return Skip.SUBTYPE
    occurred_us = _moment(message.ts)
    text, confidential = _words(message, envelope, house)
    # Who asked for confidence once does not lose it by editing the word away.
    confidential = confidential or (before is not None and _words(before, envelope, house)[1])
    edited = message.edited.ts if message.edited else None
    thread = message.thread_ts or message.ts
    submission = Submission(
        channel=CHANNEL,
        source=envelope.team_id or "",
        external_id=f"{channel}:{message.ts}",
        revision=microseconds(edited or changed_at) or occurred_us,
        change=change,
        thread_id=f"{channel}:{thread}",
        url=f"https://slack.com/app_redirect?team={envelope.team_id}&channel={channel}&message_ts={message.ts}",
        text=text,
        reported_by=Claim("slack", message.user, house.name_of(message.user) or "", verified=True),
        confidential=confidential,
        reply_to=ReplyTo(receiver="slack", address=channel, thread=thread),
        hints=house.places.get(channel, Hints()),
        occurred_at=_EPOCH + timedelta(microseconds=occurred_us),
    )
    return Heard(submission, message.files or ())


def _words(message: Message, envelope: Envelope, house: House) -> tuple[str, bool]:
    said = plain(without_mention(message.text or "", envelope.bot_user), house.name_of)
    said, confidential = without_word(said, house.confidential_words)
    shared = [
        plain(quoted.text or quoted.fallback or "", house.name_of)
        for quoted in message.attachments or ()
        if quoted.is_share or quoted.is_msg_unfurl
    ]
    quotes = ["\n".join(f"> {line}" for line in text.splitlines()) for text in shared if text]
    return "\n\n".join(part for part in (said, *quotes) if part), confidential


def _is_bot(message: Message, envelope: Envelope) -> bool:
    """By bot_id, not by subtype: what a bridge posts has only the one. `api_app_id` is our own app."""
    own_app = message.app_id is not None and message.app_id == envelope.api_app_id
    return (
        own_app or message.bot_id is not None or message.subtype == "bot_message" or message.user == _SLACKBOT
    )


def _moment(timestamp: str | None) -> int:
    moment = microseconds(timestamp)
    if moment is None:
        raise InvalidInput(Reason.BAD_DATE, "the message has no valid timestamp", field="event/ts")
    return moment


def _file_ids(message: Message) -> set[str | None]:
    return {file.id for file in message.files or ()}
