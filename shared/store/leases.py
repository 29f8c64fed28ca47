"""Leases: at most one replica does a thing, and a dead one's thing is taken over when its lease runs out.

The deadline is compared on the server with its own clock ($$NOW), so that the replicas' clocks do not matter.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from shared.errors import DependencyDown
from shared.store.connection import Session, Store, guard
from shared.store.owners import LEASES

#: Two renewals may fail before a lease runs out.
_RENEWALS = 3


class LeaseStore:
    """Leases by name. `holder` is unique to a process."""

    def __init__(self, store: Store) -> None:
        self._store = store
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

    async def holder(self, name: str) -> str | None:
        """Who has it, or had it last and never gave it back."""
        with guard():
            lease = await self._collection.find_one({"_id": name})
        return str(lease["holder"]) if lease is not None else None

    @asynccontextmanager
    async def kept(self, name: str, holder: str, *, lease_s: float) -> AsyncIterator[None]:
        """The lease, which `holder` has taken just now, is renewed while the block runs.

        The block has no longer than the lease lasts: where it cannot be renewed in time, or another has it,
        the block is cancelled and DependencyDown raised.
        """
        limit = asyncio.timeout(lease_s)
        try:
            async with limit:
                renewing = asyncio.create_task(self._renew_for_ever(name, holder, lease_s, limit))
                try:
                    yield
                finally:
                    renewing.cancel()
                    await asyncio.gather(renewing, return_exceptions=True)
        except TimeoutError:
            if not limit.expired():
                raise
            raise lost(name) from None

    async def _renew_for_ever(self, name: str, holder: str, lease_s: float, limit: asyncio.Timeout) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(lease_s / _RENEWALS)
            asked_at = loop.time()
            try:
                with guard():
                    is_ours = await self._renew(name, holder, lease_s)
            except DependencyDown:
                continue
            limit.reschedule(asked_at + lease_s if is_ours else loop.time())

    async def under(
        self, name: str, holder: str, write: Callable[[Session], Awaitable[object]], *, lease_s: float
    ) -> None:
        """`write` happens while the lease is held: both are one transaction, so that nobody takes it between.

        Raises DependencyDown, and writes nothing, where the lease is another's by now.
        """

        async def both(session: Session) -> None:
            if not await self._renew(name, holder, lease_s, session):
                raise lost(name)
            await write(session)

        with guard():
            async with await self._store.db.client.start_session() as session:
                await session.with_transaction(both, write_concern=self._store.db.write_concern)

    async def _renew(self, name: str, holder: str, lease_s: float, session: Session | None = None) -> bool:
        """False when it has run out or is another's."""
        until = {"$add": ["$$NOW", int(lease_s * 1000)]}
        ours = {"_id": name, "holder": holder, "$expr": {"$gt": ["$until", "$$NOW"]}}
        found = await self._collection.update_one(ours, [{"$set": {"until": until}}], session=session)
        return bool(found.matched_count)


def lost(name: str) -> DependencyDown:
    """Not to be worked on any further: somebody else may be at it."""
    return DependencyDown("mongodb", f"the lease on {name} ran out before it was renewed")
