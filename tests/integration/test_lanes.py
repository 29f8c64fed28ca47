"""Records that are handed over side by side, on a real broker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from shared.bus.connection import client_options
from shared.bus.lanes import Lanes, Record
from shared.bus.tail import read_all
from shared.events.topics import RECEIVED
from shared.settings import KafkaSettings


@pytest_asyncio.fixture
async def producer(kafka: KafkaSettings) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(
        **client_options(kafka), acks="all", enable_idempotence=kafka.idempotence, max_batch_size=10_000
    )
    await producer.start()
    yield producer
    await producer.stop()


def record(key: int, number: int, size_bytes: int = 10) -> Record:
    return str(key).encode(), f"{number}".encode().ljust(size_bytes, b" "), [("n", str(number).encode())]


async def stored(kafka: KafkaSettings) -> dict[bytes, list[int]]:
    """Numbers by key, in the order of their partition."""
    found: dict[bytes, list[int]] = {}
    async for kept in read_all(kafka, RECEIVED.name):
        found.setdefault(kept.key or b"", []).append(int(kept.value or b"-1"))
    return found


async def test_records_of_a_key_keep_their_order_however_many_hand_over_at_once(
    kafka: KafkaSettings, producer: AIOKafkaProducer
) -> None:
    lanes = Lanes(producer, linger_s=0.002)
    topic = kafka.topic_prefix + RECEIVED.name

    async def writer(key: int) -> None:
        for first in range(0, 60, 3):
            await lanes.send(topic, [record(key, first + step) for step in range(3)])

    await asyncio.gather(*(writer(key) for key in range(20)))
    assert await stored(kafka) == {str(key).encode(): list(range(60)) for key in range(20)}


async def test_more_than_fits_into_one_batch_goes_in_several_in_order(
    kafka: KafkaSettings, producer: AIOKafkaProducer
) -> None:
    lanes = Lanes(producer, linger_s=0)
    records = [record(1, number, size_bytes=4_000) for number in range(12)]
    # One that is larger than a whole batch may be.
    records.append(record(1, 12, size_bytes=50_000))
    await lanes.send(kafka.topic_prefix + RECEIVED.name, records)
    assert await stored(kafka) == {b"1": list(range(13))}


async def test_who_gives_up_before_it_is_on_its_way_sends_nothing(
    kafka: KafkaSettings, producer: AIOKafkaProducer
) -> None:
    lanes = Lanes(producer, linger_s=0.2)
    topic = kafka.topic_prefix + RECEIVED.name
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await lanes.send(topic, [record(1, 1)])
    await lanes.send(topic, [record(1, 2)])
    assert await stored(kafka) == {b"1": [2]}


async def test_whoever_waits_when_the_lanes_close_is_told(
    kafka: KafkaSettings, producer: AIOKafkaProducer
) -> None:
    lanes = Lanes(producer, linger_s=30)
    topic = kafka.topic_prefix + RECEIVED.name
    waiting = [asyncio.create_task(lanes.send(topic, [record(1, number)])) for number in range(2)]
    done, _ = await asyncio.wait(waiting, timeout=0.5)
    assert not done
    lanes.close()
    for each in waiting:
        with pytest.raises(KafkaError):
            await each
