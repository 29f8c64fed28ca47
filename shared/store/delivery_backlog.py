"""What waits to be delivered, since when: how it is asked, and what the answers come to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.domain.delivery import State
from shared.store.connection import Document

#: Rows are read one by one, and more than these need no exact count.
_MOST_COUNTED = 10_000


@dataclass(frozen=True, slots=True)
class Backlog:
    """`waiting` rows are due now or later (10,000 of each urgency are counted), the first at `oldest_due_at`.

    `oldest_urgent_at`, `oldest_other_at`: when the first row was planned that is due or in hand.
    """

    waiting: int
    oldest_due_at: datetime | None
    oldest_urgent_at: datetime | None
    oldest_other_at: datetime | None


def looks() -> Iterator[tuple[list[Document], str]]:
    """Stages, and the partial index they need: without it the whole collection would be read."""
    yield _grouped({"state": State.DUE.value, "urgent": True}), "due"
    yield _grouped({"state": State.DUE.value, "urgent": False}), "due"
    yield _grouped({"state": State.SENDING.value}), "in_flight"


def backlog_of(groups: Sequence[Document]) -> Backlog:
    """From what all the looks found."""
    due = [group for group in groups if group["_id"]["state"] == State.DUE.value]
    return Backlog(
        sum(group["rows"] for group in due),
        min((group["due_at"] for group in due), default=None),
        _planned(groups, urgent=True),
        _planned(groups, urgent=False),
    )


def _planned(groups: Sequence[Document], *, urgent: bool) -> datetime | None:
    moments = [group["planned_at"] for group in groups if group["_id"]["urgent"] is urgent]
    return min((moment for moment in moments if moment is not None), default=None)


def _grouped(wanted: Document) -> list[Document]:
    return [
        {"$match": wanted},
        {"$limit": _MOST_COUNTED},
        {
            "$group": {
                "_id": {"state": "$state", "urgent": "$urgent"},
                "rows": {"$sum": 1},
                "due_at": {"$min": "$due_at"},
                "planned_at": {"$min": "$planned_at"},
            }
        },
    ]
