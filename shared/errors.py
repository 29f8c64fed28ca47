"""The errors an adapter or a repository may raise, and the closed list of reasons.

`shared/bus/policy.py` is the one place that decides what follows from each of them. The text of an
error holds neither a secret nor feedback text: it is logged and stored with dead letters.
"""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Why an item could not be taken. Closed, because it is a metric label."""

    MALFORMED = "malformed"
    WRONG_TYPE = "wrong_type"
    MISSING_FIELD = "missing_field"
    UNKNOWN_FIELD = "unknown_field"
    EMPTY = "empty"
    TOO_LARGE = "too_large"
    MEDIA_TYPE = "media_type"
    BAD_SIGNATURE = "bad_signature"
    STALE_TIMESTAMP = "stale_timestamp"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    BAD_DATE = "bad_date"
    BAD_TEXT = "bad_text"
    UNKNOWN_SCHEMA = "unknown_schema"
    MAPPING = "mapping"
    NOT_FOUND = "not_found"
    IDEMPOTENCY_CONFLICT = "idempotency_conflict"
    PRECONDITION = "precondition"
    UNSOUND = "unsound"
    REJECTED = "rejected"
    ERASED = "erased"
    UNREACHABLE = "unreachable"
    RATE_LIMITED = "rate_limited"
    CONFIGURATION = "configuration"
    INTERNAL = "internal"


class ListeningPostError(Exception):
    """Every error of ours, so that a caller can tell it from a library's."""


class InvalidInput(ListeningPostError):
    """What came in can never be parsed; trying again is pointless.

    `field` is a JSON-pointer-like path ("items/3/text"), `remedy` one sentence for whoever sent it.
    """

    def __init__(self, reason: Reason, detail: str, *, field: str = "", remedy: str = "") -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.field = field
        self.remedy = remedy


class PermanentError(ListeningPostError):
    """The other side said no, and will say no again."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class TransientError(ListeningPostError):
    """It did not happen, and may succeed later. `retry_after_s` is what the other side asked for."""

    def __init__(self, reason: Reason, detail: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(detail)
        self.reason = reason
        self.retry_after_s = retry_after_s


class UnknownOutcome(ListeningPostError):
    """It may or may not have happened: the connection broke after the request was handed over."""


class DependencyDown(ListeningPostError):
    """The store or the broker is away. Not the fault of any item: hold, and try for ever."""

    def __init__(self, dependency: str, detail: str = "") -> None:
        super().__init__(f"{dependency} is not reachable{': ' + detail if detail else ''}")
        self.dependency = dependency


class ConfigurationError(ListeningPostError):
    """The process cannot start as configured. Names the setting, never its value."""
