"""Takes due deliveries from the ledger and has them delivered: as many at a time as there are free slots.

What is claimed is in flight, so after a crash no more than the slots are in doubt. Whoever plans wakes this
up; it looks by itself as well, for what others planned and for what is due later.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from services.notifier.domain import outcome
from services.notifier.pipeline import Pipeline
from services.notifier.recorder import Recorder
from shared.domain.delivery import Settled
from shared.errors import DependencyDown, PermanentError, Reason
from shared.store.deliveries import Claimed, DeliveryStore
from shared.telemetry.metrics import (
    DELIVERIES_DUE,
    DELIVERIES_HELD,
    DELIVERY_OLDEST_SECONDS,
    OLDEST_UNDELIVERED_SECONDS,
)

_CLAIMED_WITHIN_S = 1.0
_FINISH_WITHIN_S = 3.0
_RETRY_S = 0.5
_MEASURE_EVERY_S = 5.0
#: After the store was away, others get this long to record what they sent before it is taken for lost.
_GRACE_S = 5.0
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Pulse:
    """How many at a time, for how long, and how often to look."""

    slots: int
    lease_s: float
    poll_s: float


class Schedule:
    """A Component: the worker of this replica."""

    name = "deliveries"

    def __init__(
        self,
        pipeline: Pipeline,
        ledger: DeliveryStore,
        pulse: Pulse,
        now: Callable[[], datetime],
        stir: asyncio.Event,
    ) -> None:
        """`stir` is set by whoever knows that something is due."""
        self._pipeline = pipeline
        self._ledger = ledger
        self._pulse = pulse
        self._now = now
        self._recorder = Recorder(ledger, now)
        self._in_flight: dict[str, Claimed] = {}
        self._carrying: set[asyncio.Task[None]] = set()
        self._loops: list[asyncio.Task[None]] = []
        self._stir = stir
        self._problem: str | None = None
        self._sweep_at: datetime | None = None
        self._stopping = False

    async def start(self) -> None:
        self._stopping = False
        loops = (self._claim_for_ever, self._keep_leases, self._measure)
        self._loops = [asyncio.create_task(self._keep_running(loop), name=loop.__name__) for loop in loops]

    async def stop(self) -> None:
        """Claims nothing more and finishes what is in flight; what takes too long is left to its lease."""
        self._stopping = True
        self._stir.set()
        # A claim that is cut off half way may have happened: it is waited for.
        await _within(self._loops[:1], _CLAIMED_WITHIN_S)
        await _within(self._carrying, _FINISH_WITHIN_S)
        await _within(self._loops[1:], 0.0)
        self._loops = []

    def problem(self) -> str | None:
        return self._problem

    async def _keep_running(self, loop: Callable[[], Awaitable[None]]) -> None:
        """A loop that breaks off is begun anew: people wait for what is in the ledger."""
        while not self._stopping:
            (error,) = await asyncio.gather(loop(), return_exceptions=True)
            if error is not None:
                self._problem = f"interrupted by {type(error).__name__}"
                _log.error("loop_broke", loop=loop.__name__, exc_info=error)
                await asyncio.sleep(_RETRY_S)

    async def _claim_for_ever(self) -> None:
        few = max(1, self._pulse.slots // 2)
        while not self._stopping:
            self._stir.clear()
            try:
                claimed = await self._claim()
                self._problem = None
            except DependencyDown as error:
                self._problem = str(error)
                self._sweep_at = self._now() + timedelta(seconds=_GRACE_S)
                await asyncio.sleep(_RETRY_S)
                continue
            # Under load a claim for each slot that becomes free would cost more than it gains.
            if not claimed or self._free() < few:
                await self._wait(few)

    async def _wait(self, few: int) -> None:
        """Until something is planned and there is room for it; or until it is time to look anyway."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._pulse.poll_s):
                await self._stir.wait()
                while self._free() < few:
                    self._stir.clear()
                    await self._stir.wait()

    def _free(self) -> int:
        return self._pulse.slots - len(self._in_flight)

    async def _claim(self) -> bool:
        """Takes up what is due; whether there was anything."""
        free = self._free()
        if free <= 0:
            return False
        now = self._now()
        until = now + timedelta(seconds=self._pulse.lease_s)
        claimed: list[Claimed] = []
        if self._sweep_at is None or now >= self._sweep_at:
            self._sweep_at = now + timedelta(seconds=min(1.0, self._pulse.lease_s / 4))
            claimed = await self._ledger.claim_expired(free, now, until, tuple(self._in_flight))
        if free > len(claimed):
            claimed += await self._ledger.claim_due(free - len(claimed), now, until)
        for one in claimed:
            self._in_flight[one.delivery.id] = one
            task = asyncio.create_task(self._carry(one))
            self._carrying.add(task)
            task.add_done_callback(self._carrying.discard)
        return bool(claimed)

    async def _carry(self, claimed: Claimed) -> None:
        """One row from claim to record."""
        row = claimed.delivery
        try:
            await self._recorder.record(claimed, await self._settled(claimed))
        finally:
            del self._in_flight[row.id]
            self._stir.set()

    async def _settled(self, claimed: Claimed) -> Settled:
        """An error that nobody foresaw ends this way to this recipient, visibly, and nothing else."""
        (result,) = await asyncio.gather(self._pipeline.deliver(claimed), return_exceptions=True)
        now, row = self._now(), claimed.delivery
        if isinstance(result, Settled):
            return result
        if isinstance(result, DependencyDown):
            return outcome.deferred(row, now + timedelta(seconds=_RETRY_S))
        _log.error("delivery_broke", delivery_id=row.id, exc_info=result)
        return outcome.after_permanent(row, PermanentError(Reason.INTERNAL, type(result).__name__), now)

    async def _keep_leases(self) -> None:
        """What is in flight stays ours."""
        while True:
            await asyncio.sleep(self._pulse.lease_s / 3)
            until = self._now() + timedelta(seconds=self._pulse.lease_s)
            try:
                await self._ledger.renew(tuple(self._in_flight.values()), until)
            except DependencyDown as error:
                _log.warning("leases_wait", dependency=error.dependency)

    async def _measure(self) -> None:
        while True:
            try:
                backlog, held = await self._ledger.backlog(), await self._ledger.held.count()
            except DependencyDown as error:
                _log.debug("backlog_unknown", dependency=error.dependency)
            else:
                now = self._now()
                DELIVERIES_DUE.set(backlog.waiting)
                DELIVERIES_HELD.set(held)
                DELIVERY_OLDEST_SECONDS.set(_since(backlog.oldest_due_at, now))
                for urgent, planned_at in (
                    ("yes", backlog.oldest_urgent_at),
                    ("no", backlog.oldest_other_at),
                ):
                    OLDEST_UNDELIVERED_SECONDS.labels(urgent).set(_since(planned_at, now))
            await asyncio.sleep(_MEASURE_EVERY_S)


def _since(moment: datetime | None, now: datetime) -> float:
    return max((now - moment).total_seconds(), 0.0) if moment is not None else 0.0


async def _within(tasks: Collection[asyncio.Task[None]], limit_s: float) -> None:
    """They have ended: by themselves, or cut off when the time is up."""
    if not tasks:
        return
    _, late = await asyncio.wait(tasks, timeout=limit_s)
    for task in late:
        task.cancel()
    if late:
        await asyncio.wait(late)
