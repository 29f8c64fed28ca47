"""What gathers for a summary, and what follows from a piece alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from services.notifier.domain.gathering import sightings, tells_nobody
from shared.domain.counting import COUNTED
from shared.events.feedback import Cause, Change, Mode
from shared.store.feedback_groups import of_run
from tests.support.company import NOW, piece
from tests.unit.shared.domain.test_bucket import BUCKET

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
OLD = NOW - 2 * DAY
EDIT: dict[str, Any] = {"cause": Cause.EDITED, "change": Change.EDITED}


@pytest.mark.parametrize(
    ("fields", "gathered", "nobody"),
    [
        ({}, False, False),
        ({"mode": Mode.IMPORT}, True, True),
        ({"mode": Mode.BACKFILL}, True, True),
        ({"mode": Mode.TEST}, False, True),
        ({"mode": Mode.TEST, "occurred_at": OLD, "batch": "b"}, False, True),
        ({"mode": Mode.REPLAY}, False, True),
        ({"occurred_at": OLD}, True, True),
        ({"received_at": OLD}, True, True),
        ({"batch": "b"}, False, False),
        ({"mode": Mode.IMPORT} | EDIT, False, False),
        ({"occurred_at": OLD} | EDIT, False, False),
        ({"mode": Mode.IMPORT, "cause": Cause.CORRECTED}, False, False),
        ({"mode": Mode.IMPORT, "cause": Cause.RECLASSIFIED}, False, False),
        ({"mode": Mode.IMPORT, "cause": Cause.DELETED, "change": Change.DELETED}, False, False),
    ],
)
def test_what_gathers(fields: dict[str, Any], gathered: bool, nobody: bool) -> None:  # noqa: FBT001 - columns
    event = piece(**fields)
    assert bool(sightings([event], NOW, DAY)) is gathered
    assert tells_nobody(event, NOW, DAY) is nobody


def test_ten_thousand_of_one_import_are_seen_at_once() -> None:
    rows = [
        piece(
            feedback_id=f"f-{n}",
            mode=Mode.IMPORT,
            batch="crm",
            classified_at=NOW + n * SECOND,
            received_at=NOW - n * SECOND,
        )
        for n in (3, 1, 2)
    ]
    (seen,) = sightings(rows, NOW, DAY)
    assert (seen.first_at, seen.last_at) == (NOW + SECOND, NOW + 3 * SECOND)
    assert seen.received_at == NOW - 3 * SECOND


def test_one_import_may_bring_several_modes_and_each_is_seen() -> None:
    rows = [piece(mode=mode, batch="crm", occurred_at=OLD) for mode in (Mode.IMPORT, Mode.LIVE)]
    seen = sightings(rows, NOW, DAY)
    assert {one.mode for one in seen} == {Mode.IMPORT, Mode.LIVE}
    assert len({one.key for one in seen}) == 1


def test_only_what_counts_is_asked_for() -> None:
    (imported, live) = of_run(BUCKET)["$or"]
    assert {*imported["mode"]["$in"], live["mode"]} <= {mode.value for mode in COUNTED}
