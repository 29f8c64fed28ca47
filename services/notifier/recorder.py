"""Writes down what became of deliveries, as many as have gathered while the write before was under way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TypeAlias

import structlog

from shared.domain.delivery import Delivery, Purpose, Settled, State
from shared.errors import DependencyDown
from shared.store.deliveries import Claimed, DeliveryStore
from shared.telemetry.failpoints import failpoint
from shared.telemetry.metrics import DELIVERED_SECONDS, DELIVERIES, DELIVERY_ATTEMPTS

_RETRY_S = 0.3
_FINAL = frozenset({State.SENT, State.FAILED, State.UNKNOWN, State.CANCELLED})
_TROUBLE = frozenset({State.FAILED, State.UNKNOWN})
Entry: TypeAlias = tuple[Claimed, Settled]
_log = structlog.get_logger()


def announce(receivers: Iterable[str]) -> None:
    """What alerts are made of is counted from 0: a series that begins with a failure has not grown."""
    for receiver in receivers:
        for state in sorted(_FINAL):
            DELIVERIES.labels(receiver, state.value)
        for urgent in ("yes", "no"):
            DELIVERED_SECONDS.labels(receiver, Purpose.NOTICE.value, urgent)


class Recorder:
    """One write at a time: under load the batches grow by themselves, and at rest nothing waits."""

    def __init__(self, ledger: DeliveryStore, now: Callable[[], datetime]) -> None:
        self._ledger = ledger
        self._now = now
        self._waiting: list[tuple[Entry, asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def record(self, claimed: Claimed, settled: Settled) -> None:
        """It is in the ledger. While the store is away this waits: what was sent must not be forgotten."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(((claimed, settled), done))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write(), name="record deliveries")
        await done

    async def _write(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                (error,) = await asyncio.gather(
                    self._write_down([entry for entry, _ in batch]), return_exceptions=True
                )
                if error is not None:
                    # Their leases will run out, and whoever takes them over asks what became of them.
                    _log.error("record_broke", deliveries=len(batch), exc_info=error)
                failpoint("notifier.after_record")
                for (claimed, settled), done in batch:
                    _measure(claimed.delivery, settled, self._now())
                    if not done.done():
                        done.set_result(None)
        finally:
            self._writing = None

    async def _write_down(self, entries: list[Entry]) -> None:
        while True:
            try:
                await self._ledger.record(entries, self._now())
            except DependencyDown as error:
                _log.warning("record_waits", dependency=error.dependency, deliveries=len(entries))
                await asyncio.sleep(_RETRY_S)
            else:
                return


def _measure(row: Delivery, settled: Settled, now: datetime) -> None:
    receiver = row.target.receiver if row.target is not None else "none"
    DELIVERY_ATTEMPTS.labels(receiver, settled.attempt.value).inc()
    if settled.state in _FINAL:
        DELIVERIES.labels(receiver, settled.state.value).inc()
    if settled.state is State.SENT:
        took = DELIVERED_SECONDS.labels(receiver, row.purpose.value, "yes" if row.urgent else "no")
        took.observe(max((now - row.received_at).total_seconds(), 0.0))
    elif settled.state in _TROUBLE:
        _log.warning(
            "delivery_ended",
            state=settled.state.value,
            delivery_id=row.id,
            feedback_id=row.feedback_id,
            receiver=receiver,
            problem=settled.problem,
        )
