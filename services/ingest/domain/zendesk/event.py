"""What Zendesk sends, as far as we read it: event subscriptions, and the body of a trigger in the same form.

Sources: developer.zendesk.com "Ticket events" (webhook event types), "Webhook event types".
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from shared.errors import InvalidInput, Reason

PREFIX: Final = "zen:event-type:ticket."
_TICKET = re.compile(r"zen:ticket:([0-9]{1,20})")
#: The fraction has nine digits in events, and none in what a trigger fills in.
_MOMENT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2}:[0-9]{2})"
    r"(?:\.([0-9]{1,9}))? ?(Z|[+-][0-9]{2}:?[0-9]{2})"
)
_MICROSECOND_DIGITS = 6


def _word(value: Any) -> Any:  # noqa: ANN401 - whatever came in
    """Ids are strings in events and numbers where somebody wrote the body; an empty one is none."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return (value.strip() or None) if isinstance(value, str) else value


def _nobody(value: Any) -> Any:  # noqa: ANN401 - whatever came in
    return {} if value is None else value


def _rating(value: Any) -> Any:  # noqa: ANN401 - whatever came in
    return {"score": value} if isinstance(value, str) else value


_Word = Annotated[str | None, BeforeValidator(_word)]
#: A placeholder that Zendesk had nothing for is an empty string.
_Flag = Annotated[bool | None, BeforeValidator(_word)]


class _Received(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)


class Author(_Received):
    id: _Word = None
    is_staff: _Flag = None
    name: _Word = None


class Comment(_Received):
    id: _Word = None
    body: str | None = None
    html_body: str | None = None
    is_public: _Flag = None
    author: Annotated[Author, BeforeValidator(_nobody)] = Author()


class Satisfaction(_Received):
    score: _Word = None
    comment: str | None = None


class Happened(_Received):
    """What the event tells beside the ticket; which of it is there depends on the type."""

    comment: Comment | None = None
    satisfaction_score: Annotated[Satisfaction | None, BeforeValidator(_rating)] = None


class Ticket(_Received):
    """`description` is the first comment. `is_public`: some comment of it is, perhaps not the first."""

    id: _Word = None
    subject: str | None = None
    description: str | None = None
    created_at: _Word = None
    is_public: _Flag = None
    requester_id: _Word = None
    submitter_id: _Word = None


class Envelope(_Received):
    type: _Word = None
    account_id: _Word = None
    id: _Word = None
    time: _Word = None
    subject: _Word = None
    detail: Ticket | None = None
    event: Happened | None = None

    @property
    def ticket_id(self) -> str | None:
        """Of a ticket that is gone for good the subject may be all that is left."""
        if self.detail is not None and self.detail.id is not None:
            return self.detail.id
        named = _TICKET.fullmatch(self.subject or "")
        return named[1] if named else None


class _Typed(_Received):
    type: _Word = None


def parse(raw: bytes) -> Envelope:
    """The envelope; raises InvalidInput MALFORMED or WRONG_TYPE. A character that cannot be is replaced.

    Of what tells of no ticket (users, articles) only the type is read, so their forms may be any. An empty
    body is one of Zendesk's own tests.
    """
    mended = _mended(raw) if raw.strip() else "{}"
    try:
        kind = _Typed.model_validate_json(mended).type
        if kind is not None and not kind.startswith(PREFIX):
            return Envelope(type=kind)
        return Envelope.model_validate_json(mended)
    except ValidationError as error:
        fields = error.errors(include_url=False, include_context=False, include_input=False)
        where = "/".join(str(part) for part in fields[0]["loc"])
        raise InvalidInput(
            Reason.WRONG_TYPE,
            "the body does not have the form of a Zendesk event",
            field=where,
            remedy="Send events as Zendesk does, or a trigger's body as the documentation has it.",
        ) from None


def moment(stated: str | None) -> datetime | None:
    """`2025-01-08T14:25:30.123456789Z` to the microsecond; None for what is no such time."""
    form = _MOMENT.fullmatch(stated or "")
    if form is None:
        return None
    day, clock, fraction, zone = form.groups()
    micros = (fraction or "")[:_MICROSECOND_DIGITS].ljust(_MICROSECOND_DIGITS, "0")
    try:
        return datetime.fromisoformat(f"{day}T{clock}.{micros}{zone}").astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _mended(raw: bytes) -> str:
    """The same JSON without characters that are none: half an emoji would cost the whole of it."""
    try:
        text = json.dumps(json.loads(raw.decode("utf-8", "replace")), ensure_ascii=False)
    except (ValueError, RecursionError):
        raise InvalidInput(
            Reason.MALFORMED, "the body is not JSON", remedy="Send the body as application/json."
        ) from None
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
