"""The fence of a restore: what was received before it may have been told by the state that was lost. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from shared.domain.delivery import Delivery, State

WHY = "held since a restore: it may have been told before"


@dataclass(frozen=True, slots=True)
class Fence:
    """`at`: when the restore began. `dumped_at`: of when the backup is. `is_whole`: all of it is loaded."""

    at: datetime
    dumped_at: datetime | None = None
    is_whole: bool = True


#: Where nothing was ever restored: nothing was received before it.
NO_FENCE = Fence(datetime(1970, 1, 1, tzinfo=UTC))


def behind(rows: Sequence[Delivery], fence: Fence, received_at: datetime, now: datetime) -> list[Delivery]:
    """The rows of what was received then, held where they would tell somebody of it.

    What is only changed in place, or taken back, alerts nobody and does no harm twice.
    """
    if received_at >= fence.at:
        return list(rows)
    return [_held(row, now) if row.state is State.DUE and not row.in_place_only else row for row in rows]


def _held(row: Delivery, now: datetime) -> Delivery:
    return replace(row, state=State.HELD, held_at=now, problem=WHY)
