"""Publishes pending events: under a lease, so that one replica does it; cleared after Kafka has them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

from shared import ids
from shared.bus.publisher import Publisher
from shared.errors import DependencyDown
from shared.events.topics import by_name
from shared.looping import Looping
from shared.store.connection import Store
from shared.store.leases import LeaseStore
from shared.store.pending import Pending, PendingStore

_LEASE_S = 15.0
_EVERY_S = 0.5
_log = structlog.get_logger()


class Relay(Looping):
    """A Component. Carries the waiting events of `collections` to their topics, at least once each."""

    def __init__(self, store: Store, publisher: Publisher, collections: Sequence[str]) -> None:
        super().__init__("relay")
        self._pending = [PendingStore(store, collection) for collection in collections]
        self._leases = LeaseStore(store)
        self._lease = f"relay {' '.join(collections)}"
        self._publisher = publisher
        self._holder = ids.fresh_id()

    async def run(self) -> None:
        while True:
            try:
                if await self._leases.acquire(self._lease, self._holder, lease_s=_LEASE_S):
                    await self.relay_once()
            except DependencyDown as error:
                _log.warning("relay_waits", dependency=error.dependency)
            await asyncio.sleep(_EVERY_S)

    async def relay_once(self) -> int:
        """Publish what waits now; how many events that were. Raises DependencyDown."""
        count = 0
        for store in self._pending:
            for pending in await store.waiting():
                await self._publish(pending)
                await store.clear(pending)
                count += 1
        return count

    async def _publish(self, pending: Pending) -> None:
        topic = by_name(pending.topic)
        await self._publisher.publish(topic, [topic.event.model_validate(pending.event)])
