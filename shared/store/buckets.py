"""What gathers for summaries. Written by the notifier alone; one document a bucket.

Noting may be repeated: what was told already opens no run. Closing compares the run's number, so that of
several replicas one closes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pymongo import ReturnDocument, UpdateOne
from pymongo.errors import BulkWriteError

from shared.domain.bucket import Bucket, Sighting
from shared.errors import DependencyDown
from shared.events.feedback import Mode
from shared.events.words import known
from shared.store.connection import Document, Store, guard
from shared.store.owners import BUCKETS

_DUPLICATE_KEY = 11000
_MOST_OPEN = 1_000


class BucketStore:
    """Every method raises DependencyDown while the store is away; all of them may be repeated."""

    def __init__(self, store: Store) -> None:
        self._collection = store.collection(BUCKETS.name)

    async def note(self, sightings: Sequence[Sighting], now: datetime, old_before: datetime) -> None:
        """Each bucket has an open run that holds its sighting, unless that was told before."""
        if not sightings:
            return
        writes = [_noted(sighting, now, old_before) for sighting in sightings]
        # A guard that does not hold meets the document that is there. So does an upsert that somebody else's
        # has overtaken, and that one is in place when it is repeated.
        for again in await self._upsert(writes):
            await self._upsert([again])

    async def _upsert(self, writes: list[UpdateOne]) -> list[UpdateOne]:
        """Returns those that met a document."""
        try:
            with guard():
                await self._collection.bulk_write(writes, ordered=False)
        except BulkWriteError as error:
            details: Mapping[str, Any] = error.details or {}
            faults = details.get("writeErrors", [])
            if details.get("writeConcernErrors"):
                raise DependencyDown("mongodb", "no majority confirmed a write") from error
            if any(fault["code"] != _DUPLICATE_KEY for fault in faults):
                raise
            return [writes[fault["index"]] for fault in faults]
        return []

    async def open(self) -> list[Bucket]:
        """Those with an open run, the longest untouched first."""
        with guard():
            found = self._collection.find({"opened_at": {"$exists": True}}).sort("touched_at", 1)
            return [_bucket(document) for document in await found.limit(_MOST_OPEN).to_list(None)]

    async def hold(self, bucket: Bucket, until: datetime) -> Bucket | None:
        """The run holds what was classified until then, whoever asked first; None: it was told meanwhile."""
        mine: Document = {"_id": bucket.key, "run": bucket.run, "opened_at": {"$exists": True}}
        held = {"$set": {"held_until": {"$ifNull": ["$held_until", until]}}}
        with guard():
            document: Document | None = await self._collection.find_one_and_update(
                mine, [held], return_document=ReturnDocument.AFTER
            )
        return _bucket(document) if document is not None else None

    async def close(self, held: Bucket, level: int, now: datetime) -> None:
        """The run was told. What came after it was held is in a run of its own, which is open."""
        goes_on = {"$gt": ["$last_at", held.held_until]}
        told: Document = {
            "run": held.run + 1,
            "level": level,
            "told_until": held.held_until,
            "told_at": now,
            "opened_at": {"$cond": [goes_on, now, "$$REMOVE"]},
            "received_from": {"$cond": [goes_on, "$received_from", "$$REMOVE"]},
            "held_until": "$$REMOVE",
        }
        with guard():
            await self._collection.update_one({"_id": held.key, "run": held.run}, [{"$set": told}])


def _noted(sighting: Sighting, now: datetime, old_before: datetime) -> UpdateOne:
    mine: Document = {"_id": sighting.key, "told_until": {"$not": {"$gte": sighting.last_at}}}
    update: Document = {
        "$min": {"first_at": sighting.first_at, "received_from": sighting.received_at, "opened_at": now},
        "$max": {"last_at": sighting.last_at, "touched_at": now, "old_before": old_before},
        "$addToSet": {"modes": sighting.mode.value},
        "$setOnInsert": {
            "batch": sighting.batch,
            "channel": sighting.channel,
            "source": sighting.source,
            "run": 1,
            "level": 0,
        },
    }
    return UpdateOne(mine, update, upsert=True)


def _bucket(document: Document) -> Bucket:
    return Bucket(
        key=document["_id"],
        batch=document["batch"],
        channel=document["channel"],
        source=document["source"],
        modes=tuple(known(mode, Mode.BACKFILL) for mode in document["modes"]),
        run=document["run"],
        level=document["level"],
        first_at=document["first_at"],
        last_at=document["last_at"],
        received_from=document["received_from"],
        old_before=document["old_before"],
        opened_at=document["opened_at"],
        touched_at=document["touched_at"],
        told_until=document.get("told_until"),
        told_at=document.get("told_at"),
        held_until=document.get("held_until"),
    )
