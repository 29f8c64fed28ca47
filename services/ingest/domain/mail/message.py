"""A mail as we need it: who, what, when, in answer to what. Made of bytes from anybody, in bounded time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from email.message import Message
from email.parser import BytesParser
from typing import Final

from services.ingest.domain.mail import headers
from services.ingest.domain.mail.headers import ERRORS, BoundedPolicy, Mailbox
from services.ingest.domain.mail.html import Quotes
from services.ingest.domain.mail.parts import Parts, sort
from services.ingest.domain.mail.reply import is_forward, is_reply, latest, without_signature
from services.ingest.domain.submission import File
from shared import ids
from shared.errors import InvalidInput, Reason

#: Forwards within forwards.
_MAX_FORWARDS = 3
_POLICY: Final = BoundedPolicy()


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail. `text` is what the sender wrote; `whole_text` is all that came, where quotes were cut.

    `thread` is oldest first.

    `identity` is the same for the same mail, however often and by whatever way it arrives: the Message-ID,
    sender, subject and body, because an id alone can be used again, by mistake or to overwrite what somebody
    else said. Without a Message-ID it is a digest of all of it.
    `forwarded_from` wrote what is passed on here as an attached message.
    """

    message: Message
    identity: str
    message_id: str | None
    thread: tuple[str, ...]
    subject: str
    sender: Mailbox | None
    senders: int
    recipients: frozenset[str]
    date: datetime | None
    text: str
    whole_text: str | None
    files: tuple[File, ...]
    forwarded_from: Mailbox | None


def read(raw: bytes, *, max_parts: int) -> Mail:
    """The mail in `raw`. Raises InvalidInput MALFORMED for what is built to stop a parser, nothing else."""
    # The parser asks every open boundary about every line: 900 nested parts of 32 MB would take minutes.
    if raw.lower().count(b"boundary=") > max_parts:
        raise InvalidInput(Reason.MALFORMED, f"the mail has more than {max_parts} boundaries")
    try:
        message = BytesParser(policy=_POLICY).parsebytes(raw)
    except ERRORS as error:
        raise InvalidInput(Reason.MALFORMED, f"the mail cannot be parsed: {type(error).__name__}") from None
    return _mail(message, raw, max_parts)


def _mail(message: Message, raw: bytes, max_parts: int) -> Mail:
    subject = headers.first(message, "subject")
    thread = (*headers.message_ids(message, "references"), *headers.message_ids(message, "in-reply-to"))
    answer = bool(thread) or is_reply(subject)
    parts = sort(message, max_parts, Quotes.ALL if answer else Quotes.MARKED)
    senders = headers.mailboxes(message, "from")
    own, whole = _texts(parts, subject, answer=answer)
    forwarded = [_inner(inner, max_parts) for inner in parts.forwarded[:_MAX_FORWARDS]]
    if parts.left_out:
        own = f"{own}\n\n[{parts.left_out} parts of this mail were left out]".strip()
    message_id = next(iter(headers.message_ids(message, "message-id")), None)
    return Mail(
        message=message,
        identity=_identity(message, message_id, raw),
        message_id=message_id,
        thread=tuple(dict.fromkeys(thread)),
        subject=subject,
        sender=senders[0] if senders else None,
        senders=len(senders),
        recipients=frozenset(
            mailbox.address.lower() for name in ("to", "cc") for mailbox in headers.mailboxes(message, name)
        ),
        date=headers.date(message),
        text=_joined(own, *(text for text, _, _ in forwarded)),
        whole_text=whole,
        files=(*parts.files, *(file for _, files, _ in forwarded for file in files)),
        forwarded_from=next((sender for _, _, sender in forwarded if sender is not None), None),
    )


def _texts(parts: Parts, subject: str, *, answer: bool) -> tuple[str, str | None]:
    """The sender's words, and all of them when a quote was cut."""
    whole = _joined(*(words.full for words in parts.words))
    unsigned = without_signature(whole)
    if is_forward(subject, whole):
        return unsigned, None
    own = _joined(*(latest(words.own or words.full, answer=answer) for words in parts.words))
    return own, whole if len(own.split()) < len(unsigned.split()) else None


def _inner(message: Message, max_parts: int, depth: int = 1) -> tuple[str, list[File], Mailbox | None]:
    """Text, files and sender of a message that is attached to another."""
    parts = sort(message, max_parts)
    deeper = (
        [_inner(inner, max_parts, depth + 1) for inner in parts.forwarded] if depth < _MAX_FORWARDS else []
    )
    senders = headers.mailboxes(message, "from")
    text = _joined(
        headers.first(message, "subject"),
        *(words.full for words in parts.words),
        *(text for text, _, _ in deeper),
    )
    return (
        text,
        [*parts.files, *(file for _, files, _ in deeper for file in files)],
        next(iter(senders), None),
    )


def _joined(*texts: str) -> str:
    return "\n\n".join(text for text in texts if text.strip())


def _identity(message: Message, message_id: str | None, raw: bytes) -> str:
    unix = raw.replace(b"\r\n", b"\n").strip()
    if not message_id:
        return ids.digest(unix)
    # Not the other headers: each server on the way adds its own.
    said = (value for name in ("from", "subject") for value in headers.raw_values(message, name))
    body = unix.partition(b"\n\n")[2]
    return (
        f"{message_id}#{ids.digest(*(value.encode('utf-8', 'surrogateescape') for value in said), body)[:16]}"
    )
