"""Looks after what has gathered: a bucket that is quiet is told. One replica at a time looks, by a lease.

The lease spares work and is no lock: what two do at once ends as if one had done it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from services.notifier.pipeline import Pipeline
from shared import ids
from shared.domain.bucket import due_at
from shared.errors import DependencyDown
from shared.store.buckets import BucketStore
from shared.store.leases import LeaseStore

_LEASE = "summaries"
_LEASE_S = 30.0
_LONGEST_PAUSE_S = 5.0
_log = structlog.get_logger()


class Summaries:
    """A Component. `quiet` is how long nothing must have come for an import before it is told."""

    name = "summaries"

    def __init__(
        self,
        pipeline: Pipeline,
        buckets: BucketStore,
        leases: LeaseStore,
        quiet: timedelta,
        now: Callable[[], datetime],
    ) -> None:
        self._pipeline = pipeline
        self._buckets = buckets
        self._leases = leases
        self._quiet = quiet
        self._now = now
        self._holder = ids.fresh_id()
        self._pause_s = min(_LONGEST_PAUSE_S, quiet.total_seconds() / 4)
        self._task: asyncio.Task[None] | None = None
        self._problem: str | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._look_for_ever(), name="summaries")

    async def stop(self) -> None:
        """What is under way is left: it was held, and whoever looks next goes on with it."""
        task, self._task = self._task, None
        if task is None:
            return
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        with contextlib.suppress(DependencyDown):
            await self._leases.release(_LEASE, self._holder)

    def problem(self) -> str | None:
        return self._problem

    async def _look_for_ever(self) -> None:
        while True:
            (error,) = await asyncio.gather(self.look(), return_exceptions=True)
            if error is None:
                self._problem = None
            elif isinstance(error, DependencyDown):
                self._problem = str(error)
            else:
                self._problem = f"interrupted by {type(error).__name__}"
                _log.error("summaries_broke", exc_info=error)
            await asyncio.sleep(self._pause_s)

    async def look(self) -> None:
        """Every bucket that is due is told, if it is our turn to look. Raises DependencyDown."""
        if not await self._leases.acquire(_LEASE, self._holder, lease_s=_LEASE_S):
            return
        for bucket in await self._buckets.open():
            if due_at(bucket, self._quiet) <= self._now():
                await self._pipeline.summarise(bucket, self._quiet)
                _log.info("import_summarised", run=bucket.run)
