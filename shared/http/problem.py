"""Problem documents (RFC 9457): what is wrong, where, and what to do about it. Never what was sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, Field

from shared.errors import InvalidInput, Reason

MEDIA_TYPE = "application/problem+json"
_TYPE = "urn:listeningpost:problem:"

_STATUS = {
    Reason.MALFORMED: 400,
    Reason.UNAUTHENTICATED: 401,
    Reason.BAD_SIGNATURE: 401,
    Reason.STALE_TIMESTAMP: 401,
    Reason.FORBIDDEN: 403,
    Reason.NOT_FOUND: 404,
    Reason.PRECONDITION: 412,
    Reason.ERASED: 410,
    Reason.TOO_LARGE: 413,
    Reason.MEDIA_TYPE: 415,
    Reason.UNREACHABLE: 503,
}
_TITLE = {
    Reason.MALFORMED: "The request cannot be read",
    Reason.WRONG_TYPE: "A field has the wrong type",
    Reason.MISSING_FIELD: "A field is missing",
    Reason.UNKNOWN_FIELD: "A field is not known",
    Reason.EMPTY: "There is nothing in it",
    Reason.TOO_LARGE: "It is too large",
    Reason.MEDIA_TYPE: "This media type is not taken",
    Reason.BAD_SIGNATURE: "The signature does not fit",
    Reason.STALE_TIMESTAMP: "The request is too old, or from the future",
    Reason.UNAUTHENTICATED: "An API key is needed",
    Reason.FORBIDDEN: "The API key may not do this",
    Reason.BAD_DATE: "A date cannot be true",
    Reason.BAD_TEXT: "A text has characters that no text has",
    Reason.MAPPING: "The mapping does not fit",
    Reason.NOT_FOUND: "There is nothing here",
    Reason.ERASED: "Whoever said it asked to be forgotten",
    Reason.IDEMPOTENCY_CONFLICT: "The Idempotency-Key was used for another request",
    Reason.PRECONDITION: "It is not as the request expects it to be",
    Reason.UNSOUND: "It does not fit with what is there",
    Reason.UNREACHABLE: "It cannot be kept just now",
}
#: What is wrong is in a header, which `field` names.
_OF_A_HEADER = frozenset({Reason.IDEMPOTENCY_CONFLICT, Reason.PRECONDITION})


class Fault(BaseModel):
    """One thing that is wrong. `pointer` is a JSON pointer (RFC 6901) from the root of the request body."""

    reason: str
    detail: str
    pointer: str = ""
    remedy: str = ""


class Problem(BaseModel):
    """`application/problem+json`. The first fault stands at the top as well; `errors` lists all of them."""

    type: str = Field(examples=[_TYPE + Reason.MISSING_FIELD])
    title: str
    status: int
    detail: str
    reason: str
    pointer: str = ""
    remedy: str = ""
    errors: list[Fault] = []


def status_of(reason: Reason) -> int:
    """The HTTP status for a reason: 422 for what was read and cannot be taken."""
    return _STATUS.get(reason, 422)


def pointer(*path: str | int) -> str:
    """A JSON pointer to `path`; "" for the whole body. Source: RFC 6901 section 3."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def problem(faults: Sequence[InvalidInput], *, at: str = "", status: int | None = None) -> dict[str, Any]:
    """The document for one or more faults of one thing, whose own pointer is `at`."""
    first = faults[0]
    document: dict[str, Any] = {
        "type": _TYPE + first.reason,
        "title": _TITLE.get(first.reason, "It was not taken"),
        "status": status or status_of(first.reason),
        **_fault(first, at),
    }
    if len(faults) > 1:
        document["errors"] = [_fault(fault, at) for fault in faults]
    return document


def _fault(fault: InvalidInput, at: str) -> dict[str, str]:
    document = {"reason": str(fault.reason), "detail": fault.detail}
    if fault.reason in _OF_A_HEADER:
        document["header"] = fault.field
    elif fault.field:
        document["pointer"] = f"{at}/{fault.field}"
    elif at:
        document["pointer"] = at
    if fault.remedy:
        document["remedy"] = fault.remedy
    return document
