"""The fence of the last restore: one document, set by whoever restores, followed by the notifier."""

from __future__ import annotations

from shared.domain.fence import NO_FENCE, Fence
from shared.store.connection import Document, Store, guard
from shared.store.follow import Follower
from shared.store.owners import FENCES

_ID = "restore"


class FenceStore:
    """Every method raises DependencyDown while the store is away."""

    def __init__(self, store: Store) -> None:
        self._collection = store.collection(FENCES.name)

    async def get(self) -> Fence:
        with guard():
            found: Document = await self._collection.find_one({"_id": _ID}) or {}
        if not found:
            return NO_FENCE
        return Fence(found["at"], found.get("dumped_at"), found.get("is_whole", True))

    async def put(self, fence: Fence) -> None:
        """From now on this one holds, instead of the one before."""
        values = {"at": fence.at, "dumped_at": fence.dumped_at, "is_whole": fence.is_whole}
        with guard():
            await self._collection.replace_one({"_id": _ID}, values, upsert=True)


class FenceFollower(Follower[Fence]):
    """The fence in memory. A Component."""

    def __init__(self, store: Store) -> None:
        super().__init__("fence", FenceStore(store).get)
