"""What is held behind the fence of a restore, and what is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.delivery import Purpose, State
from shared.domain.fence import NO_FENCE, Fence, behind
from tests.support.company import NOW
from tests.support.notifier_house import a_row

RESTORED = NOW
FENCE = Fence(at=RESTORED, dumped_at=RESTORED - timedelta(hours=8))
EARLIER, LATER = RESTORED - timedelta(milliseconds=1), RESTORED + timedelta(hours=1)


@pytest.mark.parametrize(
    "purpose", [Purpose.NOTICE, Purpose.ACKNOWLEDGEMENT, Purpose.AMENDMENT, Purpose.SUMMARY]
)
def test_what_was_received_before_a_restore_is_held(purpose: Purpose) -> None:
    (row,) = behind([replace(a_row(), purpose=purpose)], FENCE, EARLIER, LATER)
    assert (row.state, row.held_at) == (State.HELD, LATER)
    assert row.problem


def test_what_was_received_since_is_told_at_once() -> None:
    row = a_row()
    for received_at in (RESTORED, LATER):
        assert behind([row], FENCE, received_at, LATER) == [row]


def test_without_a_restore_nothing_is_held() -> None:
    row = a_row()
    assert behind([row], NO_FENCE, EARLIER, LATER) == [row]


def test_what_alerts_nobody_is_not_held() -> None:
    """It is taken back, or changed where it stands; done twice it is as if done once."""
    taken_back = replace(a_row(), purpose=Purpose.REDACTION, amends="d-1", in_place_only=True)
    changed = replace(a_row(), purpose=Purpose.AMENDMENT, amends="d-1", in_place_only=True)
    mark = replace(a_row(), state=State.CANCELLED)
    nowhere = replace(a_row(), state=State.FAILED)
    rows = [taken_back, changed, mark, nowhere]
    assert behind(rows, FENCE, EARLIER, LATER) == rows
