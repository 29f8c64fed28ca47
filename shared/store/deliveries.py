"""The ledger of deliveries: planned once, claimed by one worker, recorded. Written by the notifier alone.

Planning is an unordered insert in which duplicates are ignored: the ids follow from piece and recipient. A
claim sets a token that is new each time, and every later write asks for it, so that a worker which was taken
for dead changes nothing any more. All of it works on many rows a round trip.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection as Several
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from pymongo import UpdateMany, UpdateOne
from pymongo.errors import BulkWriteError

from shared import ids
from shared.domain.delivery import Attempt, Content, Delivery, Purpose, Settled, State
from shared.errors import DependencyDown
from shared.store.connection import Document, Store, guard
from shared.store.delivery_backlog import Backlog, backlog_of, looks
from shared.store.delivery_documents import (
    KNOWN,
    History,
    attempt_document,
    content_document,
    deliveries_from,
    delivery_from,
    document_of,
    history_from,
    ref_document,
)
from shared.store.delivery_forget import DELETED, UNSENT, fading, forgetting, over
from shared.store.held import HeldDeliveries
from shared.store.owners import DELIVERIES

_DUPLICATE = 11000
_MOST_ATTEMPTS = 20
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A row in hand. `taken_over`: whoever held it before is silent, and may have sent it."""

    delivery: Delivery
    token: str
    taken_over: bool = False


class DeliveryStore:
    """Every method raises DependencyDown while the store is away; all of them may be repeated."""

    def __init__(self, store: Store) -> None:
        self._collection = store.collection(DELIVERIES.name)
        self.held = HeldDeliveries(self._collection)
        self._in_doubt: set[str] = set()

    async def add(self, rows: Sequence[Delivery]) -> int:
        """All `rows` are in the ledger; those that were there stay as they were. Returns how many are new."""
        if not rows:
            return 0
        try:
            with _bulk():
                await self._collection.insert_many([document_of(row) for row in rows], ordered=False)
        except BulkWriteError as error:
            faults = error.details["writeErrors"]
            if any(fault["code"] != _DUPLICATE for fault in faults):
                raise
            return len(rows) - len(faults)
        return len(rows)

    async def of_pieces(self, feedback_ids: Several[str]) -> dict[str, list[Delivery]]:
        """Every row of these pieces, by feedback_id; pieces without rows are left out."""
        found: dict[str, list[Delivery]] = defaultdict(list)
        with guard():
            rows = await self._collection.find({"feedback_id": {"$in": list(feedback_ids)}}).to_list(None)
        for row in deliveries_from(rows):
            found[row.feedback_id].append(row)
        return found

    async def told_of(self, feedback_ids: Several[str]) -> set[str]:
        """Which of these pieces somebody is told of on its own."""
        notices = {"feedback_id": {"$in": list(feedback_ids)}, "purpose": Purpose.NOTICE.value}
        with guard():
            return set(await self._collection.distinct("feedback_id", notices))

    async def history(self, feedback_id: str) -> list[History]:
        """Every row of the piece with its attempts, in the order planned."""
        with guard():
            mine = {"feedback_id": feedback_id, "purpose": KNOWN}
            rows = self._collection.find(mine).sort("planned_at", 1)
            return [history_from(document) async for document in rows]

    async def by_ids(self, delivery_ids: Several[str]) -> dict[str, Delivery]:
        if not delivery_ids:
            return {}
        with guard():
            documents = await self._collection.find({"_id": {"$in": list(delivery_ids)}}).to_list(None)
        return {row.id: row for row in deliveries_from(documents)}

    async def refresh(self, feedback_id: str, revision: int, content: Content) -> None:
        """Notices that are not sent yet show `content`; amendments it overtakes are cancelled."""
        unsent = {"feedback_id": feedback_id, "state": UNSENT}
        with _bulk():
            await self._collection.bulk_write(
                [
                    UpdateMany(
                        {**unsent, "purpose": Purpose.NOTICE.value, "revision": {"$lte": revision}},
                        {"$set": {"content": content_document(content), "revision": revision}},
                    ),
                    UpdateMany(
                        {**unsent, "purpose": Purpose.AMENDMENT.value, "revision": {"$lt": revision}},
                        {"$set": {"state": State.CANCELLED.value, "problem": "overtaken by a newer edit"}},
                    ),
                ]
            )

    async def withdraw(self, feedback_id: str) -> None:
        """What is not sent is cancelled, and no row of the piece shows anything of it any more."""
        rows = {"feedback_id": feedback_id, "purpose": {"$ne": Purpose.REDACTION.value}}
        with _bulk():
            await self._collection.bulk_write(
                [
                    UpdateMany(
                        {**rows, "state": UNSENT},
                        {"$set": {"state": State.CANCELLED.value, "problem": DELETED}},
                    ),
                    UpdateMany(rows, {"$set": {"content": {}, "withdrawn": True}}),
                ]
            )

    async def forget(self, feedback_ids: Several[str]) -> int:
        """As `withdraw`, and no row knows where whoever spoke was answered. How many rows lost something."""
        with _bulk():
            return (await self._collection.bulk_write(list(forgetting(feedback_ids)))).modified_count

    async def fade(self, before: datetime) -> int:
        """The same for rows planned before then that came to an end."""
        with _bulk():
            return (await self._collection.bulk_write(list(fading(before)))).modified_count

    async def expire(self, before: datetime) -> int:
        """Rows planned before then that came to an end go; how many."""
        with guard():
            return (await self._collection.delete_many(over(before))).deleted_count

    async def claim_due(self, most: int, now: datetime, lease_until: datetime) -> list[Claimed]:
        """At most `most` rows that are due, urgent ones first, then the oldest; nobody else has them.

        Those of a purpose that only a newer release knows wait for it.
        """
        wanted = {"state": State.DUE.value, "due_at": {"$lte": now}, "purpose": KNOWN}
        change = {"state": State.SENDING.value, "claimed_at": now}
        return await self._claim(wanted, change, most, lease_until, taken_over=False)

    async def claim_expired(
        self, most: int, now: datetime, lease_until: datetime, not_these: Several[str] = ()
    ) -> list[Claimed]:
        """Rows whose worker is silent beyond its lease. `not_these` are our own, late for another reason."""
        wanted = {
            "state": State.SENDING.value,
            "lease_until": {"$lte": now},
            "purpose": KNOWN,
            "_id": {"$nin": list(not_these)},
        }
        return await self._claim(wanted, {}, most, lease_until, taken_over=True)

    async def _claim(
        self, wanted: Document, change: Document, most: int, lease_until: datetime, *, taken_over: bool
    ) -> list[Claimed]:
        await self._give_back()
        token = ids.fresh_id()
        try:
            claimed = await self._claim_under(token, wanted, change, most, lease_until, taken_over=taken_over)
        except DependencyDown:
            if not taken_over:
                self._in_doubt.add(token)
            raise
        return sorted(claimed, key=lambda one: (not one.delivery.urgent, one.delivery.due_at))

    async def _claim_under(
        self,
        token: str,
        wanted: Document,
        change: Document,
        most: int,
        lease_until: datetime,
        *,
        taken_over: bool,
    ) -> list[Claimed]:
        order = [("lease_until", 1)] if taken_over else [("urgent", -1), ("due_at", 1)]
        with guard():
            found = await self._collection.find(wanted, {"_id": 1}).sort(order).limit(most).to_list(None)
            if not found:
                return []
            chosen = [document["_id"] for document in found]
            claim = {**change, "claim": token, "lease_until": lease_until}
            taken = await self._collection.update_many({**wanted, "_id": {"$in": chosen}}, {"$set": claim})
            if not taken.matched_count:
                return []
            # Read after the claim: until then the content may have changed, from then on it does not.
            rows = self._collection.find({"_id": {"$in": chosen}, "claim": token})
            return [Claimed(delivery_from(document), token, taken_over) async for document in rows]

    async def _give_back(self) -> None:
        """Claims whose answer never came may have been made all the same: nothing was sent under them."""
        if not self._in_doubt:
            return
        tokens = list(self._in_doubt)
        claimed = {"state": State.SENDING.value, "lease_until": {"$gt": _EPOCH}, "claim": {"$in": tokens}}
        free = {"$set": {"state": State.DUE.value}, "$unset": {"claim": "", "lease_until": ""}}
        with guard():
            await self._collection.update_many(claimed, free)
        self._in_doubt.difference_update(tokens)

    async def renew(self, claimed: Iterable[Claimed], lease_until: datetime) -> None:
        """The leases of rows that are still in hand last until then."""
        rows = list(claimed)
        if rows:
            mine = {"_id": {"$in": [one.delivery.id for one in rows]}}
            mine["claim"] = {"$in": list({one.token for one in rows})}
            with guard():
                await self._collection.update_many(mine, {"$set": {"lease_until": lease_until}})

    async def record(self, settled: Sequence[tuple[Claimed, Settled]], now: datetime) -> None:
        """What became of rows in hand; a row whose claim is another's by now keeps what that one writes."""
        if settled:
            writes = [write for claimed, outcome in settled for write in _record(claimed, outcome, now)]
            with _bulk():
                await self._collection.bulk_write(writes, ordered=False)

    async def backlog(self) -> Backlog:
        """For the metrics: what waits."""
        groups: list[Document] = []
        with guard():
            for stages, index in looks():
                groups += await self._collection.aggregate(stages, hint=index).to_list(None)
        return backlog_of(groups)


@contextmanager
def _bulk() -> Iterator[None]:
    """`guard` for bulk writes, which report a write that no majority confirmed in an error of their own."""
    try:
        with guard():
            yield
    except BulkWriteError as error:
        if error.details["writeConcernErrors"]:
            raise DependencyDown("mongodb", "no majority confirmed a write") from error
        raise


def _record(claimed: Claimed, settled: Settled, now: datetime) -> list[UpdateOne]:
    mine: Document = {"_id": claimed.delivery.id, "claim": claimed.token}
    values: Document = {
        "state": settled.state.value,
        "position": settled.position,
        "due_at": settled.due_at,
        "tries": settled.tries,
        "trying_since": settled.trying_since,
        "problem": settled.problem,
    }
    if settled.provider_ref is not None:
        values["provider_ref"] = ref_document(settled.provider_ref)
    if settled.state is State.SENT:
        values["sent_at"] = now
    update: Document = {"$set": values, "$unset": {"claim": "", "lease_until": ""}}
    if settled.attempt is not Attempt.DEFERRED:
        entry = attempt_document(claimed.delivery, settled, now)
        update["$push"] = {"attempts": {"$each": [entry], "$slice": -_MOST_ATTEMPTS}}
    if settled.state is State.SENDING:
        # Nobody's: whoever comes by after `due_at` asks the provider what became of it.
        values["lease_until"] = settled.due_at
        update["$unset"] = {"claim": ""}
    if settled.state is not State.DUE:
        return [UpdateOne(mine, update)]
    cancelled = {"state": State.CANCELLED.value, "problem": DELETED}
    return [
        UpdateOne({**mine, "withdrawn": {"$ne": True}}, update),
        UpdateOne(
            {**mine, "withdrawn": True}, {"$set": cancelled, "$unset": {"claim": "", "lease_until": ""}}
        ),
    ]
