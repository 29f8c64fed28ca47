"""Makes a service forget: its passes through what it stores, for every order in the ledger of erasures."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol

import structlog

from shared import ids
from shared.domain.erasure import PARTS, PASSES, Erasure, Order, Part, passes_due
from shared.errors import DependencyDown, ListeningPostError
from shared.looping import Looping
from shared.store.connection import PyMongoError, Store
from shared.store.erasures import ErasureFollower, ErasureStore
from shared.store.leases import LeaseStore
from shared.telemetry.metrics import ERASED_THINGS

_EVERY_S = 0.5
_LEASE_S = 60.0
_log = structlog.get_logger()


class Forgetting(Protocol):
    """What one service stores of people."""

    async def forget(self, entry: Erasure, order: Order) -> Mapping[str, int]:
        """Nothing of what the order names is left here; how much went, by collection.

        May be repeated, and is: what was on its way may have arrived since. Raises DependencyDown.
        """
        ...


class Eraser(Looping):
    """A Component. One replica of the service does the work at a time."""

    def __init__(
        self,
        part: str,
        store: Store,
        ledger: ErasureFollower,
        forgetting: Forgetting,
        now: Callable[[], datetime],
    ) -> None:
        super().__init__("eraser")
        self._part = part
        self._erasures = ErasureStore(store)
        self._leases = LeaseStore(store)
        self._ledger = ledger
        self._forgetting = forgetting
        self._now = now
        self._holder = ids.fresh_id()

    async def run(self) -> None:
        while True:
            await asyncio.sleep(_EVERY_S)
            try:
                now = self._now()
                due = [entry for entry in self._ledger.ledger.entries if entry.is_due(self._part, now)]
                if due and await self._leases.acquire(f"erase {self._part}", self._holder, lease_s=_LEASE_S):
                    for entry in due:
                        await self._try(entry.id)
            except (DependencyDown, PyMongoError) as error:
                # It is the law that it is done, so it is tried until it is.
                _log.warning("erasure_waits", part=self._part, error=type(error).__name__)

    async def _try(self, entry_id: str) -> None:
        """One that cannot be done holds up no other; it is tried again, and `erasures` shows it."""
        try:
            await self.forget(entry_id)
        except DependencyDown:
            raise
        except ListeningPostError as error:
            _log.error("erasure_failed", part=self._part, ledger_id=entry_id, error=type(error).__name__)

    async def forget(self, entry_id: str) -> None:
        """A pass, if one is due by what the store says now. Raises DependencyDown."""
        entry, now = await self._erasures.get(entry_id), self._now()
        if entry is None or entry.order is None or not entry.is_due(self._part, now):
            return
        counts = await self._forgetting.forget(entry, entry.order)
        await self._erasures.did(entry.id, self._part, passes_due(entry.order, now), counts, self._now())
        for name, count in counts.items():
            ERASED_THINGS.labels(name).inc(count)
        _log.info("erased", part=self._part, ledger_id=entry.id, counts=dict(counts))
        await self._complete(entry.id)

    async def _complete(self, entry_id: str) -> None:
        """Whoever makes the last pass of all closes the entry."""
        entry = await self._erasures.get(entry_id)
        if entry is None or entry.order is None:
            return
        if all(entry.parts.get(part, Part()).passes >= len(PASSES) for part in PARTS):
            await self._erasures.complete(entry_id, self._now())
            _log.info("erasure_complete", ledger_id=entry_id)
