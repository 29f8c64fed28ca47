"""What is not told one by one gathers in buckets, one for each import: which, and what goes into it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from services.notifier.domain.plan import told_singly
from shared.domain.bucket import Sighting
from shared.domain.counting import counts
from shared.events.feedback import Cause, FeedbackClassified, Mode

_GATHERED = frozenset({Mode.IMPORT, Mode.BACKFILL, Mode.LIVE})


def is_gathered(piece: FeedbackClassified, now: datetime, max_age: timedelta) -> bool:
    """Whether a new piece is told together with others instead of by itself."""
    return counts(piece.mode) and piece.mode in _GATHERED and not told_singly(piece, now, max_age)


def tells_nobody(piece: FeedbackClassified, now: datetime, max_age: timedelta) -> bool:
    """Whether nothing follows from it for anybody by itself: it is new, and too old, imported or a test.

    10,000 of these may lie before one that somebody waits for, so they are passed over at once.
    """
    return piece.cause is Cause.RECEIVED and not told_singly(piece, now, max_age)


def sightings(pieces: Iterable[FeedbackClassified], now: datetime, max_age: timedelta) -> list[Sighting]:
    """One for each bucket that new pieces of these fall into."""
    found: dict[str, Sighting] = {}
    for piece in pieces:
        if piece.cause is not Cause.RECEIVED or not is_gathered(piece, now, max_age):
            continue
        at = piece.classified_at
        seen = Sighting(piece.batch, piece.channel, piece.source, piece.mode, at, at, piece.received_at)
        # Of one import pieces of several channels and modes may come; they are one bucket all the same.
        key = f"{seen.key}\x1f{piece.mode}"
        found[key] = _together(found[key], seen) if key in found else seen
    return list(found.values())


def _together(one: Sighting, other: Sighting) -> Sighting:
    return replace(
        one,
        first_at=min(one.first_at, other.first_at),
        last_at=max(one.last_at, other.last_at),
        received_at=min(one.received_at, other.received_at),
    )
