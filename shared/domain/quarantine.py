"""What is kept aside: it came in, but is no feedback or cannot be read. Listed, searchable, never dropped."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class QuarantineReason(StrEnum):
    """Why something is in quarantine. Closed, because it is a metric label."""

    AUTO_REPLY = "auto_reply"
    BOUNCE = "bounce"
    LOOP = "loop"
    UNPARSABLE = "unparsable"
    EMPTY = "empty"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Quarantined:
    """`raw` is what came in, cut to a bound; `size_bytes` what it was. `detail` holds no feedback text."""

    id: str
    channel: str
    source: str
    reason: QuarantineReason
    detail: str
    raw: bytes
    size_bytes: int
    received_at: datetime
