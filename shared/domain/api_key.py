"""An API key: who may send, and what. `lp_<id>_<secret>`; the secret is shown once and never stored."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

PREFIX = "lp"
_FORM = re.compile(r"lp_([0-9a-f]{12})_([0-9a-f]{64})")


class Scope(StrEnum):
    """What a key may do. A key with `test` alone can try everything out and change no trend."""

    WRITE = "feedback:write"
    IMPORT = "feedback:import"
    TEST = "feedback:test"
    NOTES = "notes:write"
    ACCOUNTS_READ = "accounts:read"
    ACCOUNTS_WRITE = "accounts:write"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One key. Replacing it must not make another feedback of the same thing: hence `source`.

    `source` names the sending system and goes into every feedback_id; two keys of one system share it.
    `person` is the colleague who speaks through it, by their id in the directory; None: it is a system's.
    """

    id: str
    name: str
    source: str
    scopes: frozenset[Scope]
    secret_hash: str
    created_at: datetime
    created_by: str = ""
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    person: str | None = None

    def opens_with(self, secret: str, now: datetime) -> bool:
        """Whether `secret` is this key's in force at `now`. A near miss takes as long as a far one."""
        right = hmac.compare_digest(hash_secret(secret), self.secret_hash)
        alive = self.revoked_at is None and (self.expires_at is None or now < self.expires_at)
        return right and alive


def hash_secret(secret: str) -> str:
    """SHA-256 as hex. A slow hash protects what can be guessed; 256 random bits cannot."""
    return hashlib.sha256(secret.encode()).hexdigest()


def split(token: str) -> tuple[str, str] | None:
    """(id, secret) of a token in the right form, else None."""
    form = _FORM.fullmatch(token)
    return (form[1], form[2]) if form else None
