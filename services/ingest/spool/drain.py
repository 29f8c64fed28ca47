"""Empties the spool, oldest first, as soon as what it needs is back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_random_exponential

from services.ingest.domain.piece import Piece
from services.ingest.keep import Keeper
from services.ingest.outlet import Outlet
from services.ingest.spool.frame import Frame
from services.ingest.spool.record import Record, decode
from services.ingest.spool.spool import Batch, Spool
from shared.errors import DependencyDown, InvalidInput, PermanentError
from shared.events.feedback import FeedbackReceived

_MAX_RECORDS = 500
_MAX_BYTES = 8 * 1_048_576
_LONGEST_PAUSE_S = 5.0
#: On top of the limit for live pieces: nobody waits for an answer here.
_EXTRA_S = 8.0
_ADOPT_EVERY_S = 30.0
#: What one record can be guilty of, so that it alone is set aside; an outage is DependencyDown.
_OF_THE_RECORD = (PermanentError, InvalidInput)
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Readable:
    frame: Frame
    record: Record


class Drain:
    """A Component. Raises nothing to anybody: an outage it sits out, with pauses of up to five seconds.

    A record may be stored and published twice when the process dies in between, never not at all.
    """

    name = "drain"

    def __init__(
        self, spool: Spool, keeper: Keeper, outlet: Outlet, is_barred: Callable[[FeedbackReceived], bool]
    ) -> None:
        """`is_barred`: whoever spoke was forgotten since it was spooled."""
        self._spool = spool
        self._keeper = keeper
        self._outlet = outlet
        self._is_barred = is_barred
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        self._tasks = [
            asyncio.create_task(self._empty(), name="drain the spool"),
            asyncio.create_task(self._adopt(), name="adopt spools"),
        ]
        for task in self._tasks:
            task.add_done_callback(_tell_death)

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    def problem(self) -> str | None:
        stopped = any(task.done() for task in self._tasks)
        return "the spool is no longer drained" if stopped else None

    async def _empty(self) -> None:
        while True:
            await self._spool.filled()
            retrying = AsyncRetrying(
                retry=retry_if_exception_type(DependencyDown),
                wait=wait_random_exponential(multiplier=0.2, max=_LONGEST_PAUSE_S),
                before_sleep=_waits,
            )
            async for attempt in retrying:
                with attempt:
                    await self._drain_batch()

    async def _drain_batch(self) -> None:
        # One record is enough to find out; a batch would wait in the producer and be published several times.
        limit = 1 if self._outlet.away else _MAX_RECORDS
        batch = await self._spool.oldest(limit, _MAX_BYTES)
        if batch is None:
            return
        readable, unreadable = _split(batch)
        try:
            await self._deliver([each.record for each in readable])
        except _OF_THE_RECORD:
            for each in readable:
                await self._deliver_alone(batch, each)
        for frame in unreadable:
            await self._spool.set_aside(batch, frame, "unreadable" if frame.payload else "damaged")
        await self._spool.discard(batch)
        _log.info("spool_drained", records=len(batch.frames), left=self._spool.records)

    async def _deliver(self, records: Sequence[Record]) -> None:
        asides = [record.aside for record in records if record.aside is not None]
        if asides:
            await self._keeper.put_aside(asides, anyway=True)
        unmapped = [record.unmapped for record in records if record.unmapped is not None]
        if unmapped:
            await self._outlet.publish_unmapped(unmapped, anyway=True, extra_s=_EXTRA_S)
        spooled: list[Piece] = [record.piece for record in records if record.piece is not None]
        pieces: list[Piece] = []
        for piece in spooled:
            if self._is_barred(piece.event):
                await self._keeper.forget(piece.event.feedback_id)
            else:
                pieces.append(piece)
        for piece in pieces:
            if piece.needs_store:
                await self._keeper.keep(piece, anyway=True)
        if pieces:
            await self._outlet.publish(pieces, anyway=True, extra_s=_EXTRA_S)

    async def _deliver_alone(self, batch: Batch, each: _Readable) -> None:
        try:
            await self._deliver([each.record])
        except _OF_THE_RECORD as error:
            await self._spool.set_aside(batch, each.frame, type(error).__name__)

    async def _adopt(self) -> None:
        """A replica that died for good leaves its directory to those who live."""
        while True:
            await asyncio.sleep(_ADOPT_EVERY_S)
            await self._spool.adopt()


def _split(batch: Batch) -> tuple[list[_Readable], list[Frame]]:
    readable: list[_Readable] = []
    unreadable: list[Frame] = []
    for frame in batch.frames:
        try:
            readable.append(_Readable(frame, decode(frame.payload or b"")))
        except InvalidInput:
            unreadable.append(frame)
    return readable, unreadable


def _tell_death(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        _log.error("spool_task_died", task=task.get_name(), exc_info=task.exception())


def _waits(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome is not None else None
    dependency = error.dependency if isinstance(error, DependencyDown) else ""
    _log.warning("spool_waits", dependency=dependency, attempt=state.attempt_number)
