"""The one place that decides what follows from a failure: try again, skip, or dead letter.

A dependency that is down is not a bad piece: it leaves `settle` as DependencyDown, and the batch is given
back.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import structlog
from aiokafka import ConsumerRecord

from shared.bus.codec import decode
from shared.bus.dead_letters import DeadLetterWriter
from shared.bus.subscription import Outcome, Received, Subscription
from shared.bus.traced import traced
from shared.errors import DependencyDown, InvalidInput, PermanentError, Reason, TransientError
from shared.settings import KafkaSettings
from shared.telemetry.metrics import BATCH_SECONDS, ITEMS

#: One item: three tries, none begun later than five seconds after the first.
TRIES = 3
PAUSES_S = (0.2, 1.0)
WITHIN_S = 5.0
#: Longer than it takes to see that a dependency is away (20 s on a silent socket): a try that is cut off
#: earlier cannot say so, and the item would be buried for it.
TRY_LIMIT_S = 30.0
_WINDOW = 200
_WINDOW_LEAST = 50
_log = structlog.get_logger()


class TooManyDeadLetters(Exception):
    """So much fails that the fault is probably ours: the consumer must stop and a human look."""


class DeadLetterLimit:
    """Counts outcomes; raises TooManyDeadLetters over a share of the last 200 items, or a run of failures."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._ratio = settings.dead_letter_ratio
        self._run_limit = settings.dead_letter_run
        self._window: deque[bool] = deque(maxlen=_WINDOW)
        self._run = 0

    def count(self, *, dead: bool, times: int = 1) -> None:
        self._window.extend([dead] * min(times, _WINDOW))
        self._run = self._run + times if dead else 0

    def check(self) -> None:
        """Called before a further dead letter is written."""
        failed = sum(self._window)
        if self._run >= self._run_limit:
            msg = f"{self._run} failures in a row"
            raise TooManyDeadLetters(msg)
        if len(self._window) >= _WINDOW_LEAST and failed > self._ratio * len(self._window):
            msg = f"{failed} of the last {len(self._window)} items failed"
            raise TooManyDeadLetters(msg)


class Policy:
    """Settles batches of one subscription: after `settle` every record has its outcome."""

    def __init__(
        self, subscription: Subscription, dead_letters: DeadLetterWriter, limit: DeadLetterLimit
    ) -> None:
        self._subscription = subscription
        self._dead_letters = dead_letters
        self._limit = limit

    async def settle(self, records: Sequence[ConsumerRecord[bytes, bytes]]) -> None:
        """Raises DependencyDown or TooManyDeadLetters; then nothing may be committed."""
        started = time.perf_counter()
        readable: list[ConsumerRecord[bytes, bytes]] = []
        items: list[Received[Any]] = []
        for record in records:
            try:
                items.append(self._read(record))
            except InvalidInput as error:
                await self._bury(record, error.reason, error)
            else:
                readable.append(record)
        if items:
            await self._handle(readable, items)
        BATCH_SECONDS.labels(self._subscription.topic.name).observe(time.perf_counter() - started)

    def _read(self, record: ConsumerRecord[bytes, bytes]) -> Received[Any]:
        event = decode(self._subscription.topic.event, record.value)
        return Received(event, record.headers, record.topic, record.partition, record.offset)

    async def _handle(
        self, records: Sequence[ConsumerRecord[bytes, bytes]], items: list[Received[Any]]
    ) -> None:
        try:
            with traced(self._subscription.topic.name, items) as followed:
                answered = await self._subscription.handler(followed)
            outcomes = [outcome for outcome, _ in zip(answered, items, strict=True)]
        except (DependencyDown, asyncio.CancelledError):
            raise
        except Exception as error:  # noqa: BLE001 - the one place: it must not take its neighbours along
            topic = self._subscription.topic.name
            _log.warning("batch_taken_apart", topic=topic, error=type(error).__name__)
            for record, item in zip(records, items, strict=True):
                await self._handle_alone(record, item)
        else:
            for outcome, times in Counter(outcomes).items():
                self._count(outcome, times=times)

    async def _handle_alone(self, record: ConsumerRecord[bytes, bytes], item: Received[Any]) -> None:
        started = time.monotonic()
        for attempt in range(1, TRIES + 1):
            try:
                async with asyncio.timeout(TRY_LIMIT_S):
                    with traced(self._subscription.topic.name, [replace(item, attempt=attempt)]) as followed:
                        (outcome,) = await self._subscription.handler(followed)
            except (DependencyDown, asyncio.CancelledError):
                raise
            except (PermanentError, InvalidInput) as error:
                await self._bury(record, error.reason, error)
                return
            except Exception as error:  # noqa: BLE001 - the one place: an item's error after three tries
                if attempt == TRIES or time.monotonic() - started > WITHIN_S:
                    reason = error.reason if isinstance(error, TransientError) else Reason.INTERNAL
                    await self._bury(record, reason, error)
                    return
                _log.warning(
                    "item_tried_again", attempt=attempt, **_position(record), error=type(error).__name__
                )
                await asyncio.sleep(PAUSES_S[attempt - 1])
            else:
                self._count(outcome)
                return

    async def _bury(self, record: ConsumerRecord[bytes, bytes], reason: Reason, error: Exception) -> None:
        if self._subscription.limited:
            self._limit.check()
        await self._dead_letters.write(record, reason, error)
        _log.error(
            "dead_letter", reason=reason, error=type(error).__name__, **_position(record), exc_info=error
        )
        self._count(Outcome.DEAD_LETTER, reason)

    def _count(self, outcome: Outcome, reason: Reason | None = None, *, times: int = 1) -> None:
        self._limit.count(dead=outcome is Outcome.DEAD_LETTER, times=times)
        ITEMS.labels(self._subscription.topic.name, outcome, reason or "").inc(times)


def _position(record: ConsumerRecord[bytes, bytes]) -> dict[str, object]:
    return {"topic": record.topic, "partition": record.partition, "offset": record.offset}
