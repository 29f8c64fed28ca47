"""What a Zendesk event means to us: pieces of feedback, changes of them, or nothing, and then why.

A ticket's first text and each public comment of a customer are pieces of one thread. What an agent writes is
none, except to open a ticket for somebody. What is private never is; in doubt it counts as private.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.ingest.domain.mail.html import to_text
from services.ingest.domain.submission import Claim, Submission
from services.ingest.domain.zendesk.event import PREFIX, Comment, Envelope, Ticket, moment
from services.ingest.domain.zendesk.heard import CHANNEL, Deleted, Heard, House, Skip, taken_back
from shared import clock
from shared.errors import InvalidInput, Reason
from shared.events.feedback import Affiliation, Change, Rating

#: What Zendesk leaves in place of each redacted character.
REDACTED: Final = "\u2587"
_SCORES: Final = {"good": 1.0, "bad": 0.0}
_MARKUP = re.compile(r"\s*<[a-zA-Z][^<>]{0,200}>.*</[a-zA-Z0-9]{1,20}>\s*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Told:
    """An event of which account, ticket and time are known."""

    envelope: Envelope
    source: str
    ticket_id: str
    at: datetime
    url: str | None

    @property
    def ticket(self) -> Ticket:
        return self.envelope.detail or Ticket()

    @property
    def comment(self) -> Comment:
        told = self.envelope.event.comment if self.envelope.event else None
        if told is None:
            raise InvalidInput(Reason.MISSING_FIELD, "the event has no comment", field="event/comment")
        return told

    @property
    def first_text(self) -> str:
        return plain(self.ticket.description)

    @property
    def is_opened_by_customer(self) -> bool:
        return self.ticket.requester_id is not None and self.ticket.submitter_id == self.ticket.requester_id


def read(envelope: Envelope, house: House) -> Heard | Deleted | Skip:
    """What an event says. Raises InvalidInput for one without account, ticket or time."""
    if envelope.type is None:
        if envelope.detail is None and envelope.event is None:
            return Skip.TEST
        raise InvalidInput(Reason.MISSING_FIELD, "the event has no type", field="type")
    reader = _READERS.get(envelope.type.removeprefix(PREFIX)) if envelope.type.startswith(PREFIX) else None
    if reader is None:
        return Skip.OTHER_EVENT
    if envelope.account_id is None:
        raise InvalidInput(Reason.MISSING_FIELD, "the event has no account", field="account_id")
    if house.account_id not in (None, envelope.account_id):
        # The samples that Zendesk's test button sends are of an account of its own.
        return Skip.OTHER_ACCOUNT
    return reader(_told(envelope, envelope.account_id, house))


def plain(text: str | None) -> str:
    """What a reader sees; only what is markup from end to end is taken for it, so `a < b` stays."""
    return to_text(text) if text and _MARKUP.fullmatch(text) else (text or "").strip()


def _told(envelope: Envelope, account_id: str, house: House) -> _Told:
    ticket_id, at = envelope.ticket_id, moment(envelope.time)
    if ticket_id is None:
        raise InvalidInput(Reason.MISSING_FIELD, "the event has no ticket", field="detail/id")
    if at is None:
        raise InvalidInput(Reason.BAD_DATE, "the event has no valid time", field="time")
    url = f"https://{house.subdomain}.zendesk.com/agent/tickets/{ticket_id}" if house.subdomain else None
    return _Told(envelope, account_id, ticket_id, at, url)


def _created(told: _Told) -> Heard | Skip:
    """The first text. Whoever opens a ticket for somebody else is an agent who heard it."""
    if told.ticket.is_public is not True:
        return Skip.PRIVATE
    return (_first(told, Change.CREATED),)


def _described(told: _Told) -> Heard:
    """The first text as it is now.

    What an agent wrote may have been private from the start, though the ticket is public by now: it is taken
    back, so that neither a private word gets in nor a redacted one stays.
    """
    if told.is_opened_by_customer and told.ticket.is_public is True and told.first_text:
        return (_first(told, Change.EDITED),)
    return (_gone(told, _ticket_key(told)),)


def _commented(told: _Told) -> Heard | Skip:
    comment = told.comment
    if comment.is_public is not True:
        return Skip.PRIVATE
    if not _is_customers(told, comment):
        return Skip.AGENT
    if not _words(comment):
        return Skip.EMPTY
    if _is_first(told, comment):
        # The first text comes as a comment as well: the same piece, whichever of both is subscribed to.
        return (_first(told, Change.CREATED),)
    return (_said(told, comment, Change.CREATED),)


def _redacted(told: _Told) -> Heard | Skip:
    """The comment without what is no longer to be read; and the first text, where it was that."""
    comment = told.comment
    if _is_first(told, comment):
        return _described(told)
    first = _described(told) if REDACTED in told.first_text else ()
    if comment.author.is_staff is True:
        return first or Skip.AGENT
    rest: Heard = ()
    if comment.is_public is True and _is_customers(told, comment) and _words(comment):
        rest = (_said(told, comment, Change.EDITED),)
    elif comment.id is not None:
        rest = (_gone(told, f"comment:{comment.id}"),)
    return (*rest, *first) or Skip.EMPTY


def _made_private(told: _Told) -> Heard | Skip:
    comment = told.comment
    gone = [] if comment.id is None else [f"comment:{comment.id}"]
    if told.ticket.is_public is False or _is_first(told, comment):
        gone.append(_ticket_key(told))
    if not gone:
        raise InvalidInput(Reason.MISSING_FIELD, "the comment has no id", field="event/comment/id")
    return tuple(_gone(told, key) for key in gone)


def _deleted(told: _Told) -> Deleted:
    heard = (_gone(told, _ticket_key(told)), _gone(told, _rating_key(told)))
    return Deleted(told.source, _ticket_key(told), told.at, heard)


def _rated(told: _Told) -> Heard | Skip:
    rated = told.envelope.event.satisfaction_score if told.envelope.event else None
    score = _SCORES.get((rated.score or "").lower()) if rated else None
    if rated is None or score is None:
        return Skip.NOT_RATED
    rating = Rating(value=score, min=0, max=1, kind="satisfaction")
    customer = _customer(told.ticket.requester_id)
    key = _rating_key(told)
    return (_piece(told, key, Change.CREATED, customer, text=plain(rated.comment), rating=rating),)


_READERS: dict[str, Callable[[_Told], Heard | Deleted | Skip]] = {
    "created": _created,
    "description_changed": _described,
    "comment_added": _commented,
    "comment_redacted": _redacted,
    "comment_made_private": _made_private,
    "soft_deleted": _deleted,
    "permanently_deleted": _deleted,
    "marked_as_spam": _deleted,
    "csat_received": _rated,
}


def _first(told: _Told, change: Change) -> Submission:
    customer = _customer(told.ticket.requester_id)
    agent = None
    if told.ticket.submitter_id is not None and not told.is_opened_by_customer:
        agent = Claim("api", told.ticket.submitter_id, verified=True)
    occurred_at = moment(told.ticket.created_at) or told.at
    return _piece(
        told, _ticket_key(told), change, customer, agent=agent, text=told.first_text, occurred_at=occurred_at
    )


def _said(told: _Told, comment: Comment, change: Change) -> Submission:
    # What a trigger fills in has no id for the comment; the time of its one run stands for it.
    key = comment.id or f"{told.ticket_id}:{clock.to_us(told.at)}"
    customer = _customer(comment.author.id, comment.author.name)
    return _piece(told, f"comment:{key}", change, customer, text=_words(comment))


def _piece(
    told: _Told,
    key: str,
    change: Change,
    customer: Claim,
    *,
    text: str,
    agent: Claim | None = None,
    rating: Rating | None = None,
    occurred_at: datetime | None = None,
) -> Submission:
    return Submission(
        channel=CHANNEL,
        source=told.source,
        external_id=key,
        revision=clock.to_us(told.at),
        change=change,
        thread_id=_ticket_key(told),
        url=told.url,
        title=told.ticket.subject or "",
        text=text,
        reported_by=agent or customer,
        spoken_for=customer if agent is not None else None,
        affiliation=Affiliation.CUSTOMER,
        rating=rating,
        occurred_at=occurred_at or told.at,
    )


def _gone(told: _Told, key: str) -> Submission:
    return taken_back(told.source, key, told.at)


def _customer(user_id: str | None, name: str | None = None) -> Claim:
    return Claim("api", user_id or "", name or "", verified=user_id is not None)


def _is_customers(told: _Told, comment: Comment) -> bool:
    """Where nobody says whether the author is an agent, only the requester is surely none."""
    if comment.author.is_staff is not None:
        return not comment.author.is_staff
    return comment.author.id is not None and comment.author.id == told.ticket.requester_id


def _is_first(told: _Told, comment: Comment) -> bool:
    words = _words(comment)
    by_opener = comment.author.id in (None, told.ticket.submitter_id)
    return bool(words) and by_opener and words == told.first_text


def _words(comment: Comment) -> str:
    return to_text(comment.html_body) if comment.html_body else plain(comment.body)


def _ticket_key(told: _Told) -> str:
    return f"ticket:{told.ticket_id}"


def _rating_key(told: _Told) -> str:
    return f"rating:{told.ticket_id}"
