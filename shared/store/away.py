"""Which of MongoDB's errors mean that the server is the trouble, and what it has against us."""

from __future__ import annotations

from pymongo.errors import (
    AutoReconnect,
    ConnectionFailure,
    ExecutionTimeout,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WaitQueueTimeoutError,
    WriteConcernError,
    WTimeoutError,
)

from shared.errors import DependencyDown

SETTING = "LISTENINGPOST_MONGO__URI"
_AWAY = (
    AutoReconnect,
    ConnectionFailure,
    WaitQueueTimeoutError,
    ExecutionTimeout,
    WTimeoutError,
)
#: Server codes that mean "ask again, perhaps of another member".
#: Source: MongoDB retryable writes specification, "RetryableError"; 211 and 133 while a set is being elected.
_AWAY_CODES = frozenset({6, 7, 64, 89, 91, 133, 189, 211, 262, 9001, 10107, 11600, 11602, 13435, 13436})
#: What is wrong with the setting, then, and not with the server. Source: src/mongo/base/error_codes.yml
_REFUSALS = {
    13: f"it asks for a name and a password with more rights in {SETTING}",
    18: f"it refuses the name or the password in {SETTING}",
}
#: By what the driver says of a connection, which names no password.
_UNSEALED = {
    "CERTIFICATE_VERIFY_FAILED": f"tlsCAFile of {SETTING} does not vouch for its certificate",
    "connection closed": f"it hangs up: is tls of {SETTING} right?",
}


def away(error: PyMongoError) -> DependencyDown | None:
    """What to raise for `error`; None for one that is the request's own."""
    detail = None
    if isinstance(error, ServerSelectionTimeoutError):
        said = str(error)
        hints = (hint for sign, hint in _UNSEALED.items() if sign in said)
        detail = next(hints, type(error).__name__)
    elif isinstance(error, _AWAY):
        detail = type(error).__name__
    elif isinstance(error, OperationFailure | WriteConcernError):
        detail = _REFUSALS.get(error.code or 0, f"code {error.code}" if is_away(error.code) else None)
    return DependencyDown("mongodb", detail) if detail else None


def is_away(code: int | None) -> bool:
    """Whether a server's error code says that the server, not the request, is the trouble."""
    return code in _AWAY_CODES
