"""What gathers for a summary: pieces that are not told one by one, and when they are told together.

A bucket is of one import or backfill. What is told of it at once is a *run*: of an import that goes on or is
repeated there are several, and each tells what is new since the one before.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.events.feedback import Mode

#: No run waits longer, so that what never pauses is told once a day.
LONGEST = timedelta(days=1)
#: A further run within a day must be quiet so many times as long as the one before: a trickle that pauses
#: ever so often is soon told once a day as well.
_PATIENCE = 10
_MOST_LEVEL = 6


@dataclass(frozen=True, slots=True)
class Sighting:
    """Pieces of one bucket that came by: how they came, and between when they were classified.

    `batch` None: they name no import, and belong together by `channel`, `source` and `mode`.
    """

    batch: str | None
    channel: str
    source: str
    mode: Mode
    first_at: datetime
    last_at: datetime
    received_at: datetime

    @property
    def key(self) -> str:
        """Equal for what makes one summary. No channel and no mode has a space in it."""
        if self.batch is not None:
            return f"batch:{self.batch}"
        return f"way:{self.channel} {self.mode} {self.source}"


@dataclass(frozen=True, slots=True)
class Bucket:
    """One bucket with a run that is open.

    Its times are of two clocks: `first_at`, `last_at`, `told_until` and `held_until` are when pieces were
    classified, `opened_at`, `touched_at` and `told_at` when the notifier did something. `old_before`: of live
    pieces those from before it were too old to be told. `held_until` is set while the run is being told, and
    then stays as it is.
    """

    key: str
    batch: str | None
    channel: str
    source: str
    modes: tuple[Mode, ...]
    run: int
    level: int
    first_at: datetime
    last_at: datetime
    received_from: datetime
    old_before: datetime
    opened_at: datetime
    touched_at: datetime
    told_until: datetime | None = None
    told_at: datetime | None = None
    held_until: datetime | None = None


def level(bucket: Bucket) -> int:
    """How many runs of this bucket went before within a day each."""
    if bucket.told_at is None or bucket.opened_at - bucket.told_at >= LONGEST:
        return 0
    return min(bucket.level + 1, _MOST_LEVEL)


def due_at(bucket: Bucket, quiet: timedelta) -> datetime:
    """When its run is to be told: once nothing came for a while, or after a day."""
    if bucket.held_until is not None:
        return bucket.touched_at
    wait = min(quiet * float(_PATIENCE ** level(bucket)), LONGEST)
    return min(bucket.touched_at + wait, bucket.opened_at + LONGEST)


def tell_until(bucket: Bucket, now: datetime, quiet: timedelta) -> datetime:
    """The run holds what was classified until then; whatever comes later is of the next.

    While pieces still come, the last moments are left out: some of theirs may not be stored yet.
    """
    if bucket.held_until is not None:
        return bucket.held_until
    return bucket.last_at if now - bucket.touched_at >= quiet else min(bucket.last_at, now - quiet)
