"""Replicas that come and go: the others read on after a moment, and nothing is missing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest

from shared.bus.consumer import Consumer
from shared.bus.publisher import Publisher
from shared.bus.subscription import Outcome, Received, Subscription
from shared.events.feedback import FeedbackReceived
from shared.events.topics import RECEIVED
from shared.settings import KafkaSettings
from tests.support.feedback import piece
from tests.support.wait import until

pytestmark = pytest.mark.timeout(180)

_WITHIN_S = 60.0
_MORE = 60
#: Apache Kafka takes a tenth of a second, the embedded broker four.
_PAUSE_LIMIT_S = 8.0


class Reader:
    """A replica: `read_at` has the time of each piece that it read, by text."""

    def __init__(self, kafka: KafkaSettings, publisher: Publisher) -> None:
        self.read_at: dict[str, float] = {}
        subscription = Subscription(RECEIVED, "classifier", self._read)
        self.consumer = Consumer(kafka, [subscription], publisher, "tests")

    async def _read(self, batch: Sequence[Received[FeedbackReceived]]) -> Sequence[Outcome]:
        now = asyncio.get_running_loop().time()
        self.read_at |= {received.event.text: now for received in batch}
        return [Outcome.DONE] * len(batch)


class Flow:
    """Pieces that are published one after the other until the end of the block."""

    def __init__(self, publisher: Publisher) -> None:
        self.sent: list[str] = []
        self._publisher = publisher

    @asynccontextmanager
    async def flowing(self) -> AsyncIterator[None]:
        over = asyncio.Event()
        flow = asyncio.create_task(self._flow(over))
        try:
            yield
        finally:
            over.set()
            await flow

    async def _flow(self, over: asyncio.Event) -> None:
        while not over.is_set():
            event = piece(f"{len(self.sent)}")
            await self._publisher.publish(RECEIVED, [event])
            self.sent.append(event.text)


async def test_a_replica_joins_and_leaves_and_the_others_read_on(
    kafka: KafkaSettings, publisher: Publisher, record_property: Callable[[str, object], None]
) -> None:
    first, second, third = readers = [Reader(kafka, publisher) for _ in range(3)]
    flow = Flow(publisher)

    async def more(*who: Reader) -> None:
        """Each of them reads some more."""
        before = {reader: len(reader.read_at) for reader in who}
        await until(
            lambda: all(len(reader.read_at) >= count + _MORE for reader, count in before.items()),
            within_s=_WITHIN_S,
            what="each reads some more",
        )

    await first.consumer.start()
    async with flow.flowing():
        await second.consumer.start()
        await more(first, second)
        since = asyncio.get_running_loop().time()
        await third.consumer.start()
        await more(first, second, third)
        await third.consumer.stop()
        await more(first, second)
        upto = asyncio.get_running_loop().time()
    everything = set(flow.sent)
    await until(
        lambda: everything <= {text for reader in readers for text in reader.read_at},
        within_s=_WITHIN_S,
        what="everything is read",
    )
    await first.consumer.stop()
    await second.consumer.stop()
    times = sorted(at for reader in readers for at in reader.read_at.values() if since <= at <= upto)
    longest_s = max(later - earlier for earlier, later in pairwise(times))
    record_property("the longest in which nobody read", f"{longest_s:.2f} s")
    assert longest_s < _PAUSE_LIMIT_S
