"""Deliveries that are held since a restore: listed, sent, dropped, and held again.

Of the ledger in `shared/store/deliveries.py`, which hands its collection over.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.domain.delivery import PLACE, Delivery, Purpose, State
from shared.domain.fence import WHY
from shared.store.connection import Collection, Document, guard
from shared.store.delivery_documents import KNOWN, delivery_from

DROPPED = "dropped after a restore: it was told before"
_INDEX = "held"
_WANTED = {"state": State.HELD.value, "purpose": KNOWN, "withdrawn": {"$ne": True}}
#: Cancelled by `drop`, and by nothing else.
_DROPPED = {"state": State.CANCELLED.value, "dropped_at": {"$exists": True}, "withdrawn": {"$ne": True}}


@dataclass(frozen=True, slots=True)
class Which:
    """Which of them; None takes all. `since`, included, and `until` are of when the piece was received.

    `recipient` is a person's id, a place's, or "contributor".
    """

    purpose: Purpose | None = None
    recipient: str | None = None
    feedback_id: str | None = None
    urgent: bool | None = None
    since: datetime | None = None
    until: datetime | None = None

    def matches(self) -> Document:
        found: Document = {}
        if self.purpose is not None:
            found["purpose"] = self.purpose.value
        if self.recipient is not None:
            found["recipient"] = {"$in": [self.recipient, f"{PLACE}{self.recipient}"]}
        if self.feedback_id is not None:
            found["feedback_id"] = self.feedback_id
        if self.urgent is not None:
            found["urgent"] = self.urgent
        received = {"$gte": self.since, "$lt": self.until}
        received = {operator: moment for operator, moment in received.items() if moment is not None}
        return {**found, "received_at": received} if received else found


@dataclass(frozen=True, slots=True)
class Sort:
    """How many there are that are alike."""

    purpose: Purpose
    recipient: str
    count: int


class HeldDeliveries:
    """Every method raises DependencyDown while the store is away; all of them may be repeated.

    `by` bounds what is changed to what was held by then: what was shown, and not what came since.
    """

    def __init__(self, collection: Collection) -> None:
        self._collection = collection

    async def hold(self, before: datetime, now: datetime) -> int:
        """What is not sent, or in doubt, of what was received before then is held; how many rows.

        Nobody else may be at work on the ledger.
        """
        unsent = [State.DUE.value, State.SENDING.value]
        rows = {"received_at": {"$lt": before}, "state": {"$in": unsent}, "in_place_only": {"$ne": True}}
        held = {"state": State.HELD.value, "held_at": now, "problem": WHY}
        return await self._change(rows, {"$set": held, "$unset": {"claim": "", "lease_until": ""}})

    async def count(self, which: Which | None = None) -> int:
        with guard():
            return await self._collection.count_documents(_chosen(which), hint=_INDEX)

    async def sorts(self, which: Which) -> list[Sort]:
        """How many of each purpose and recipient, the most first."""
        alike = {"purpose": "$purpose", "recipient": "$recipient"}
        steps = [
            {"$match": _chosen(which)},
            {"$group": {"_id": alike, "count": {"$sum": 1}}},
            {"$sort": {"count": -1, "_id": 1}},
        ]
        with guard():
            found = await self._collection.aggregate(steps, hint=_INDEX).to_list(None)
        return [Sort(Purpose(one["_id"]["purpose"]), one["_id"]["recipient"], one["count"]) for one in found]

    async def newest(self, which: Which, most: int) -> list[Delivery]:
        """The latest received first."""
        with guard():
            found = self._collection.find(_chosen(which), hint=_INDEX).sort("received_at", -1).limit(most)
            return [delivery_from(document) async for document in found]

    async def send(self, which: Which, by: datetime, now: datetime) -> int:
        """They are due now; how many."""
        due = {"$set": {"state": State.DUE.value, "due_at": now}, "$unset": {"held_at": "", "problem": ""}}
        return await self._change({**_chosen(which), "held_at": {"$lte": by}}, due)

    async def drop(self, which: Which, by: datetime, now: datetime) -> int:
        """They are cancelled; how many."""
        cancelled = {"state": State.CANCELLED.value, "problem": DROPPED, "dropped_at": now}
        return await self._change({**_chosen(which), "held_at": {"$lte": by}}, {"$set": cancelled})

    async def dropped(self, which: Which) -> int:
        """How many `take_back` would hold again."""
        with guard():
            return await self._collection.count_documents({**_DROPPED, **which.matches()})

    async def take_back(self, which: Which, now: datetime) -> int:
        """What was dropped is held again; how many."""
        held = {"state": State.HELD.value, "held_at": now, "problem": WHY}
        rows = {**_DROPPED, **which.matches()}
        return await self._change(rows, {"$set": held, "$unset": {"dropped_at": ""}})

    async def _change(self, rows: Document, update: Document) -> int:
        with guard():
            return (await self._collection.update_many(rows, update)).modified_count


def _chosen(which: Which | None) -> Document:
    return {**_WANTED, **(which.matches() if which is not None else {})}
