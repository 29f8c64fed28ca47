"""The link by which the first administrator comes in: shown to whoever runs the installation, and used once.

It is made of an id that is stored and of the token that our own tools and services share, so that it is
written down nowhere: neither in a log nor in the database.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

LASTS = timedelta(days=7)
_TOKEN = re.compile(r"lpi_([0-9a-f]{16})_([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Invitation:
    """There is one at a time, and none after one was accepted."""

    id: str
    expires_at: datetime
    accepted_at: datetime | None = None

    def holds(self, now: datetime) -> bool:
        return self.accepted_at is None and now < self.expires_at


def token(invitation_id: str, key: str) -> str:
    """What the link carries. `key` is the token our own tools show to the services."""
    return f"lpi_{invitation_id}_{_seal(invitation_id, key)}"


def id_in(pasted: str, key: str) -> str | None:
    """The id of the invitation in a link, or in a token alone, if `key` made it."""
    found = _TOKEN.search(pasted)
    if found is None or not hmac.compare_digest(_seal(found[1], key), found[2]):
        return None
    return found[1]


def _seal(invitation_id: str, key: str) -> str:
    return hmac.new(key.encode(), f"first administrator {invitation_id}".encode(), hashlib.sha256).hexdigest()
