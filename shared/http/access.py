"""Who is asking: the API key of a request, and the key under which it may be repeated."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from shared.domain.api_key import ApiKey, Scope
from shared.errors import InvalidInput, Reason

_IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,255}")


class Keys(Protocol):
    def check(self, token: str, now: datetime) -> ApiKey | None:
        """The key behind `token` if it is in force at `now`, else None."""
        ...


def authenticated(headers: Mapping[str, str], keys: Keys, now: datetime) -> ApiKey:
    """The key in force that the request bears. Raises InvalidInput UNAUTHENTICATED or FORBIDDEN.

    Source: RFC 6750 section 2.1.
    """
    scheme, _, token = headers.get("authorization", "").partition(" ")
    key = keys.check(token.strip() if scheme.lower() == "bearer" else "", now)
    if key is None:
        raise InvalidInput(
            Reason.UNAUTHENTICATED,
            "the API key is missing, unknown, expired or revoked",
            remedy="Send `Authorization: Bearer lp_…` with a key made by `listeningpost keys create`.",
        )
    if not key.scopes:
        raise InvalidInput(
            Reason.FORBIDDEN,
            "this API key has no scope",
            remedy="Use a key with the scope feedback:write.",
        )
    return key


def require(key: ApiKey, scope: Scope) -> None:
    """Raises InvalidInput FORBIDDEN unless the key has the scope."""
    if scope not in key.scopes:
        raise InvalidInput(
            Reason.FORBIDDEN,
            f"this API key may not do that: it lacks {scope}",
            remedy=f"Use a key with the scope {scope}.",
        )


def idempotency_key(headers: Mapping[str, str]) -> str | None:
    """Raises InvalidInput MALFORMED for one that is empty, too long, or not visible ASCII."""
    key = headers.get("idempotency-key")
    if key is not None and not _IDEMPOTENCY_KEY.fullmatch(key):
        raise InvalidInput(
            Reason.MALFORMED,
            "the Idempotency-Key is empty, too long, or has characters it may not have",
            remedy="Send up to 255 visible ASCII characters, like a UUID.",
        )
    return key
