"""Lets go of what was kept long enough: the jobs of one service, under a lease, every six hours."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from shared import ids
from shared.errors import DependencyDown
from shared.looping import Looping
from shared.store.connection import PyMongoError, Store
from shared.store.leases import LeaseStore
from shared.telemetry.metrics import EXPIRED

_EVERY_S = 6 * 3_600.0
#: After the start, when everybody has better things to do; and when something was away.
_FIRST_AFTER_S = 60.0
_AGAIN_S = 300.0
_LEASE_S = 600.0
#: A month, for settings in months: nobody counts days in them.
MONTH = timedelta(days=30.44)
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Job:
    """`run` lets go of what is of before a moment, and says how much that was. May be repeated."""

    name: str
    kept: timedelta
    run: Callable[[datetime], Awaitable[int]]


class Retention(Looping):
    """A Component. Without jobs it does nothing."""

    def __init__(self, part: str, store: Store, jobs: Sequence[Job], now: Callable[[], datetime]) -> None:
        super().__init__("retention")
        self._part = part
        self._leases = LeaseStore(store)
        self._jobs = jobs
        self._now = now
        self._holder = ids.fresh_id()

    async def run_once(self) -> dict[str, int]:
        """Every job, now; how much each let go of. Raises DependencyDown."""
        gone = {job.name: await job.run(self._now() - job.kept) for job in self._jobs}
        for name, count in gone.items():
            EXPIRED.labels(name).inc(count)
        _log.info("retention_applied", part=self._part, counts=gone)
        return gone

    async def run(self) -> None:
        pause_s = _FIRST_AFTER_S
        while True:
            await asyncio.sleep(pause_s)
            pause_s = _EVERY_S
            try:
                if await self._leases.acquire(f"retention {self._part}", self._holder, lease_s=_LEASE_S):
                    await self.run_once()
            except (DependencyDown, PyMongoError) as error:
                pause_s = _AGAIN_S
                _log.warning("retention_waits", part=self._part, error=type(error).__name__)
