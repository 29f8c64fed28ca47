"""Leases: at most one replica does a thing, and a dead one's thing is taken over when its lease runs out.

The deadline is compared on the server with its own clock ($$NOW), so that the replicas' clocks do not matter.
"""

from __future__ import annotations

from pymongo.errors import DuplicateKeyError

from shared.store.connection import Store, guard
from shared.store.owners import LEASES


class LeaseStore:
    """Leases by name. `holder` is unique to a process."""

    def __init__(self, store: Store) -> None:
        self._collection = store.collection(LEASES.name)

    async def acquire(self, name: str, holder: str, *, lease_s: float) -> bool:
        """Take or renew the lease; False while somebody else holds it. Raises DependencyDown."""
        free_or_mine = {
            "_id": name,
            "$or": [{"holder": holder}, {"$expr": {"$lte": ["$until", "$$NOW"]}}],
        }
        until = {"$add": ["$$NOW", int(lease_s * 1000)]}
        try:
            with guard():
                result = await self._collection.update_one(
                    free_or_mine, [{"$set": {"holder": holder, "until": until}}], upsert=True
                )
        except DuplicateKeyError:
            return False
        return bool(result.matched_count or result.upserted_id is not None)

    async def release(self, name: str, holder: str) -> None:
        """Give it back, if it is still ours."""
        with guard():
            await self._collection.delete_one({"_id": name, "holder": holder})
