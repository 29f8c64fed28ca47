"""Leases: at most one replica does a thing, and a dead one's thing is taken over when its lease runs out.

The deadline is compared on the server with its own clock ($$NOW), so that the replicas' clocks do not matter.
"""

from __future__ import annotations

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from shared.store.connection import Store, guard
from shared.store.owners import LEASES


class LeaseStore:
    """Leases by name. `holder` is unique to a process."""

    def __init__(self, store: Store) -> None:
        self._collection = store.collection(LEASES.name)

    async def acquire(self, name: str, holder: str, *, lease_s: float) -> bool:
        """Take or renew the lease; False while somebody else holds it. Raises DependencyDown."""
        # MongoDB allows no $expr in the filter of an upsert, so that the condition stands in the update: it
        # leaves somebody else's lease as it is. A missing `until` sorts before every date.
        free = {"$or": [{"$eq": ["$holder", holder]}, {"$lte": ["$until", "$$NOW"]}]}
        until = {"$add": ["$$NOW", int(lease_s * 1000)]}
        taken = {
            "holder": {"$cond": [free, holder, "$holder"]},
            "until": {"$cond": [free, until, "$until"]},
        }
        try:
            with guard():
                lease = await self._collection.find_one_and_update(
                    {"_id": name}, [{"$set": taken}], upsert=True, return_document=ReturnDocument.AFTER
                )
        except DuplicateKeyError:
            return False
        return bool(lease["holder"] == holder)

    async def release(self, name: str, holder: str) -> None:
        """Give it back, if it is still ours."""
        with guard():
            await self._collection.delete_one({"_id": name, "holder": holder})
