"""Readers go back to where they were, and only while nobody reads."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from shared import clock
from shared.bus.consumer import Consumer
from shared.bus.publisher import Publisher
from shared.bus.rewind import Position, StillReadingError, positions, positions_at, rewind
from shared.bus.subscription import Outcome, Received, Subscription
from shared.events.topics import CLASSIFIED
from shared.settings import KafkaSettings
from tests.support.company import piece
from tests.support.wait import until


class Reader:
    """Somebody who reads as the notifier does, and remembers what."""

    def __init__(self, kafka: KafkaSettings, publisher: Publisher) -> None:
        self.read: list[str] = []
        subscription = Subscription(CLASSIFIED, "notifier", self._take)
        self.consumer = Consumer(kafka, [subscription], publisher, "tests")

    async def _take(self, batch: Sequence[Received[Any]]) -> list[Outcome]:
        self.read += [item.event.feedback_id for item in batch]
        return [Outcome.DONE for _ in batch]

    async def until_read(self, *wanted: str) -> None:
        await until(lambda: set(wanted) <= set(self.read), within_s=30, what=f"{wanted} are read")


async def say(publisher: Publisher, *names: str) -> None:
    await publisher.publish(CLASSIFIED, [piece(feedback_id=name) for name in names])


def of_notifier(found: Sequence[Position]) -> Position:
    (position,) = [one for one in found if one.group == "notifier"]
    return position


@pytest.mark.kafka_smoke
async def test_what_came_since_is_read_again_and_nothing_else(
    kafka: KafkaSettings, publisher: Publisher
) -> None:
    first = Reader(kafka, publisher)
    await say(publisher, "a", "b", "c")
    await first.consumer.start()
    await first.until_read("a", "b", "c")
    await first.consumer.stop()
    then = await positions(kafka)
    assert sum(of_notifier(then).offsets.values()) == 3

    await first.consumer.start()
    await say(publisher, "d", "e")
    await first.until_read("d", "e")
    await first.consumer.stop()

    for _ in range(2):
        done = {one.group: one for one in await rewind(kafka, then)}
        assert (done["notifier"].again, done["notifier"].lost) == (2, 0)
        assert done["classifier"].again == 0
    again = Reader(kafka, publisher)
    await again.consumer.start()
    await again.until_read("d", "e")
    await say(publisher, "f")
    await again.until_read("f")
    await again.consumer.stop()
    assert sorted(again.read) == ["d", "e", "f"]


async def test_nobody_is_sent_back_while_reading(kafka: KafkaSettings, publisher: Publisher) -> None:
    reader = Reader(kafka, publisher)
    await say(publisher, "a")
    await reader.consumer.start()
    await reader.until_read("a")
    with pytest.raises(StillReadingError, match="notifier"):
        await rewind(kafka, await positions(kafka))
    await reader.consumer.stop()


async def test_it_never_goes_forward(kafka: KafkaSettings, publisher: Publisher) -> None:
    await say(publisher, "a", "b")
    now = of_notifier(await positions(kafka))
    beyond = Position(now.topic, now.group, dict.fromkeys(now.offsets, 1_000))
    await rewind(kafka, [beyond])
    assert of_notifier(await positions(kafka)) == now


async def test_the_position_at_a_time_leaves_out_nothing_of_after_it(
    kafka: KafkaSettings, publisher: Publisher
) -> None:
    await say(publisher, "a")
    first = clock.now()
    await until(lambda: clock.now() > first, within_s=5, what="a millisecond later")
    moment = clock.now()
    await say(publisher, "b")
    found = of_notifier(await positions_at(kafka, moment))
    everything = of_notifier(await positions_at(kafka, moment - timedelta(days=1)))
    assert sum(everything.offsets.values()) == 0
    # The embedded broker knows no times, so all is read again there.
    assert sum(found.offsets.values()) == (1 if kafka.idempotence else 0)
