"""From a mail to a submission: which of our mailboxes it was for, and what may be believed of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.ingest.domain.mail.headers import Mailbox, attempt, raw_values
from services.ingest.domain.mail.message import Mail
from services.ingest.domain.submission import Claim, File, Submission
from shared import clock
from shared.events.feedback import Hints, ReplyTo

CHANNEL: Final = "mail"
#: An event carries at most 512 characters of it. The first id and the last ones are what threading needs.
_MAX_THREAD_CHARS = 500


@dataclass(frozen=True, slots=True)
class Address:
    """One of our mailboxes."""

    hints: Hints
    confidential: bool = False


def submit(
    mail: Mail,
    *,
    mailboxes: Mapping[str, Address],
    recipients: Sequence[str],
    return_path: str,
    source: str,
    proven: bool,
) -> Submission:
    """`mailboxes` by lower-case address, `recipients` of the envelope. `proven`: From is who sent it.

    One copy to a confidential mailbox makes all of them confidential: a server may split the recipients over
    several deliveries, and the header names them all.
    """
    named = [address.lower() for address in (*recipients, *sorted(mail.recipients))]
    ours = [mailboxes[address] for address in named if address in mailboxes]
    return Submission(
        channel=CHANNEL,
        source=source,
        external_id=mail.identity,
        revision=_microseconds(mail.date),
        thread_id=(*mail.thread, mail.message_id)[0],
        title=mail.subject,
        text=mail.text,
        files=_files(mail),
        reported_by=_claim(mail.sender or Mailbox(return_path), verified=proven),
        spoken_for=_forwarded(mail),
        confidential=any(address.confidential for address in ours),
        reply_to=_reply_to(mail) if proven else None,
        hints=next((address.hints for address in ours if address.hints != Hints()), Hints()),
        occurred_at=mail.date,
    )


def _microseconds(date: datetime | None) -> int | None:
    """None also for the first hours of the year 1 in the east: there is no such moment in UTC."""
    return attempt(lambda: clock.to_us(date), None) if date is not None else None


def _files(mail: Mail) -> tuple[File, ...]:
    if mail.whole_text is None:
        return mail.files
    whole = mail.whole_text.encode("utf-8", "replace")
    return (*mail.files, File("whole-message.txt", "text/plain", whole))


def _claim(mailbox: Mailbox, *, verified: bool) -> Claim:
    return Claim("email", mailbox.address, mailbox.name, verified)


def _forwarded(mail: Mail) -> Claim | None:
    """Who wrote the attached message; nobody vouches for that, but it is not the one who passes it on."""
    inner = mail.forwarded_from
    if inner is None or (mail.sender is not None and inner.address.lower() == mail.sender.address.lower()):
        return None
    return _claim(inner, verified=False)


def _reply_to(mail: Mail) -> ReplyTo | None:
    """`thread` is what References will be: ids with spaces between them, the one to answer last.

    What came over a mailing list is not answered: a machine sent it, and a hundred people would read that.
    """
    if mail.sender is None:
        return None
    listed = bool(raw_values(mail.message, "list-id"))
    return ReplyTo(receiver="email", address=mail.sender.address, thread=_thread(mail), auto_generated=listed)


def _thread(mail: Mail) -> str | None:
    chain = [*mail.thread, *([mail.message_id] if mail.message_id else [])]
    while len(chain) > 1 and sum(len(one) + 1 for one in chain) > _MAX_THREAD_CHARS:
        # RFC 5537 section 3.4.4: what is shortened keeps the first and the last.
        del chain[1 if len(chain) > 2 else 0]  # noqa: PLR2004 - the first and the last
    return " ".join(chain) or None
