"""What the classifier subscribes to: live feedback, and imports that give way to it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence

from services.classifier.pipeline import Batch
from services.classifier.settings import ClassifierSection
from shared.bus.subscription import Outcome, Subscription
from shared.events.topics import RECEIVED, RECEIVED_BULK

Handle = Callable[[Batch], Awaitable[Sequence[Outcome]]]


class Lanes:
    """Two lanes into one pipeline. A bulk batch starts while no live one is in hand, or after a patient wait.

    The wait has an end, so that under steady live load an import still gets its share: small batches, one
    every `bulk_patience_s` at least.
    """

    def __init__(self, handle: Handle, bulk_patience_s: float) -> None:
        self._handle = handle
        self._patience_s = bulk_patience_s
        self._live = 0
        self._quiet = asyncio.Event()
        self._quiet.set()

    async def live(self, batch: Batch) -> Sequence[Outcome]:
        self._live += 1
        self._quiet.clear()
        try:
            return await self._handle(batch)
        finally:
            self._live -= 1
            if self._live == 0:
                self._quiet.set()

    async def bulk(self, batch: Batch) -> Sequence[Outcome]:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._quiet.wait(), self._patience_s)
        return await self._handle(batch)


def subscriptions(handle: Handle, settings: ClassifierSection) -> list[Subscription]:
    lanes = Lanes(handle, settings.bulk_patience_s)
    return [
        Subscription(RECEIVED, "classifier", lanes.live, settings.batch, settings.linger_ms),
        Subscription(
            RECEIVED_BULK, "classifier-bulk", lanes.bulk, settings.bulk_batch, settings.bulk_linger_ms
        ),
    ]
