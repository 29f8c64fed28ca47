"""When what has gathered is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from shared.domain.bucket import LONGEST, Bucket, Sighting, due_at, level, tell_until
from shared.events.feedback import Mode

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
QUIET = timedelta(seconds=60)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
BUCKET = Bucket(
    key="batch:crm",
    batch="crm",
    channel="rest",
    source="tests",
    modes=(Mode.IMPORT,),
    run=1,
    level=0,
    first_at=NOON,
    last_at=NOON,
    received_from=NOON,
    old_before=NOON - DAY,
    opened_at=NOON,
    touched_at=NOON,
)


@pytest.mark.parametrize(
    ("changes", "due_after"),
    [
        ({}, MINUTE),
        ({"touched_at": NOON + 5 * MINUTE}, 6 * MINUTE),
        # It never pauses: once a day.
        ({"touched_at": NOON + DAY - timedelta(seconds=5)}, DAY),
        ({"touched_at": NOON + 3 * DAY}, DAY),
        # Told not long ago: each further run has to be quiet for ten times as long.
        ({"told_at": NOON - HOUR, "level": 0}, 10 * MINUTE),
        ({"told_at": NOON - HOUR, "level": 1}, 100 * MINUTE),
        ({"told_at": NOON - HOUR, "level": 3}, DAY),
        ({"told_at": NOON - HOUR, "level": 6}, DAY),
        # Told long ago: as if it were the first time.
        ({"told_at": NOON - DAY, "level": 5}, MINUTE),
        # Somebody was interrupted while telling it.
        ({"held_until": NOON}, timedelta(0)),
    ],
)
def test_due(changes: dict[str, datetime | int], due_after: timedelta) -> None:
    assert due_at(replace(BUCKET, **changes), QUIET) == NOON + due_after  # type: ignore[arg-type]


@pytest.mark.parametrize("pause", [20 * timedelta(seconds=1), 5 * MINUTE, 30 * MINUTE, 3 * HOUR])
def test_an_endless_trickle_is_told_once_a_day_after_the_first(pause: timedelta) -> None:
    told: list[datetime] = []
    bucket, now = BUCKET, NOON
    while now < NOON + 10 * DAY:
        coming = now + pause
        due = due_at(bucket, QUIET)
        if due <= coming:
            told.append(due)
            bucket = replace(
                bucket,
                level=level(bucket),
                told_at=due,
                opened_at=coming,
                touched_at=coming,
                run=bucket.run + 1,
            )
        else:
            bucket = replace(bucket, touched_at=coming)
        now = coming
    later = [moment for moment in told if moment >= NOON + DAY]
    assert len(told) - len(later) <= 4
    assert all(second - first >= LONGEST for first, second in pairwise(later))


def test_what_is_told_holds_all_that_came_before_it_was_quiet() -> None:
    bucket = replace(BUCKET, last_at=NOON + MINUTE, touched_at=NOON + MINUTE)
    assert tell_until(bucket, NOON + 2 * MINUTE, QUIET) == NOON + MINUTE
    # While it goes on, what came a moment ago may not all be stored yet.
    assert tell_until(bucket, NOON + MINUTE + MINUTE / 2, QUIET) == NOON + MINUTE / 2
    assert tell_until(replace(bucket, held_until=NOON), NOON + DAY, QUIET) == NOON


def test_a_batch_is_one_bucket_and_what_has_none_goes_by_its_way() -> None:
    seen = Sighting("crm", "slack", "T1", Mode.IMPORT, NOON, NOON, NOON)
    assert seen.key == replace(seen, channel="mail", source="x", mode=Mode.BACKFILL).key
    nameless = replace(seen, batch=None)
    others = [replace(nameless, **{name: value}) for name, value in _OTHER]  # type: ignore[arg-type]
    assert len({seen.key, nameless.key, *(other.key for other in others)}) == 5


_OTHER = (("channel", "mail"), ("source", "T2"), ("mode", Mode.BACKFILL))
