"""Reads a topic without a group: from now on, or all that is in it now. Commits nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from shared.bus.away import away
from shared.bus.codec import decode
from shared.bus.connection import client_options
from shared.bus.lanes import partition_of
from shared.bus.login import choose
from shared.bus.subscription import Received
from shared.errors import DependencyDown
from shared.events.base import Event
from shared.events.topics import Topic
from shared.settings import KafkaSettings

#: aiokafka tries for ever to reach a broker that has gone, and says nothing of it. So whoever follows a quiet
#: topic asks now and then whether anybody is there.
_QUIET_MS = 2_000
_ANSWER_WITHIN_S = 5.0


async def follow(
    settings: KafkaSettings,
    topic: Topic,
    *,
    from_start: bool = False,
    on_ready: Callable[[], None] = lambda: None,
) -> AsyncIterator[Received[Event]]:
    """Events as they come, for ever; `on_ready` is called once none can be missed any more.

    Raises DependencyDown, also within seconds of Kafka going away, and InvalidInput for an event that cannot
    be read.
    """
    async with _reader(settings, topic.name) as (consumer, partitions):
        offsets = await (consumer.beginning_offsets if from_start else consumer.end_offsets)(partitions)
        _seek(consumer, offsets)
        on_ready()
        while True:
            taken = await consumer.getmany(timeout_ms=_QUIET_MS)
            for record in (record for records in taken.values() for record in records):
                event = decode(topic.event, record.value)
                yield Received(event, record.headers, record.topic, record.partition, record.offset)
            if not taken:
                async with asyncio.timeout(_ANSWER_WITHIN_S):
                    await consumer.end_offsets(partitions)


async def read_all(
    settings: KafkaSettings, topic: str, *, key: str | None = None
) -> AsyncIterator[ConsumerRecord[bytes, bytes]]:
    """Every raw record that is in `topic` now, a partition after the other; ends. Raises DependencyDown.

    With `key` only its records, for which one partition has to be read. (Those of before the topic got more
    partitions lie elsewhere and are not found.)
    """
    wanted = key.encode() if key is not None else None
    async with _reader(settings, topic, wanted) as (consumer, partitions):
        ends = await consumer.end_offsets(partitions)
        _seek(consumer, await consumer.beginning_offsets(partitions))
        left = {partition for partition in partitions if await consumer.position(partition) < ends[partition]}
        unsure = set(left)
        while left:
            for partition, records in (await consumer.getmany(*left, timeout_ms=500)).items():
                if partition in unsure:
                    # The embedded broker tells one past the *first* record of the last batch when it is asked
                    # for the end, and the true end only along with the records.
                    ends[partition] = max(ends[partition], consumer.highwater(partition) or 0)
                    unsure.discard(partition)
                for record in records:
                    if record.offset < ends[partition] and wanted in {None, record.key}:
                        yield record
            left = {partition for partition in left if await consumer.position(partition) < ends[partition]}


def _seek(consumer: AIOKafkaConsumer, offsets: dict[TopicPartition, int]) -> None:
    """Explicitly: `seek_to_beginning` loses against the reset that a fresh assignment starts by itself."""
    for partition, offset in offsets.items():
        consumer.seek(partition, offset)


@asynccontextmanager
async def _reader(
    settings: KafkaSettings, topic: str, key: bytes | None = None
) -> AsyncIterator[tuple[AIOKafkaConsumer, list[TopicPartition]]]:
    name = settings.topic_prefix + topic
    await choose(settings)
    consumer = AIOKafkaConsumer(**client_options(settings), enable_auto_commit=False, fetch_max_wait_ms=20)
    try:
        await consumer.start()
        await consumer._client.add_topic(name)  # noqa: SLF001 - else its partitions are unknown
        numbers = sorted(consumer.partitions_for_topic(name) or ())
        if not numbers:
            raise DependencyDown("kafka", f"there is no topic {name}; run `listeningpost topics`")
        wanted = numbers if key is None else [partition_of(key, numbers)]
        partitions = [TopicPartition(name, number) for number in wanted]
        consumer.assign(partitions)
        yield consumer, partitions
    except (KafkaError, OSError) as error:
        raise await away(settings, error) from error
    finally:
        await stop_reader(consumer)


async def stop_reader(consumer: AIOKafkaConsumer) -> None:
    try:
        await consumer.stop()
    except asyncio.CancelledError:
        # Without its broker aiokafka 0.14, half stopped, passes on the end of a fetch it cancelled itself.
        await consumer._client.close()  # noqa: SLF001 - nothing else closes what is left
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
