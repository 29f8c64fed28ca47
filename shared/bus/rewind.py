"""Where readers were at a moment, and back there: what came since is read again after a restore."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import CommitFailedError, KafkaError, UnsupportedVersionError

from shared.bus.connection import client_options
from shared.bus.login import choose
from shared.errors import DependencyDown, ListeningPostError
from shared.events.topics import REBUILDING, Topic
from shared.settings import KafkaSettings

_LOOK_EVERY_S = 0.1
_SPARE_S = 5.0


class StillReadingError(ListeningPostError):
    """A service of that group runs: it would go on where it is, and write that down again."""


@dataclass(frozen=True, slots=True)
class Position:
    """The next record that `group` reads of each partition of `topic`."""

    topic: str
    group: str
    offsets: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Rewound:
    """`again`: records that are read once more. `lost`: those of before then that Kafka has no longer."""

    topic: str
    group: str
    again: int
    lost: int


async def positions(settings: KafkaSettings) -> list[Position]:
    """Of every group from whose topic the store can be rebuilt, as they are now. Raises DependencyDown."""
    found = []
    for topic, group in _pairs():
        async with _reader(settings, topic, group) as (consumer, partitions):
            begins = await consumer.beginning_offsets(partitions)
            offsets = {one.partition: await consumer.committed(one) or begins[one] for one in partitions}
        found.append(Position(topic.name, group, offsets))
    return found


async def positions_at(settings: KafkaSettings, moment: datetime) -> list[Position]:
    """The first records that came then or later; all there are, of a broker that cannot say so.

    Raises DependencyDown.
    """
    found = []
    for topic, group in _pairs():
        async with _reader(settings, topic, group) as (consumer, partitions):
            begins = await consumer.beginning_offsets(partitions)
            ends = await consumer.end_offsets(partitions)
            try:
                at_ms = dict.fromkeys(partitions, int(moment.timestamp() * 1000))
                times = await consumer.offsets_for_times(at_ms)
                first = {one: times[one].offset if times.get(one) else ends[one] for one in partitions}
            except UnsupportedVersionError:
                first = begins
        found.append(Position(topic.name, group, {one.partition: first[one] for one in partitions}))
    return found


async def rewind(settings: KafkaSettings, to: Sequence[Position]) -> list[Rewound]:
    """Each group reads on from there, none from later than it would have; may be repeated.

    A partition that has less than it had then is another one by now, and is read from its beginning. Raises
    StillReadingError and DependencyDown.
    """
    known = {(position.topic, position.group): position.offsets for position in to}
    found = []
    for topic, group in _pairs():
        then = known.get((topic.name, group))
        if then is not None:
            async with _reader(settings, topic, group) as (consumer, partitions):
                done, targets = await _back(consumer, partitions, topic, group, then)
                await _write_down(settings, consumer, targets, done)
            found.append(done)
    return found


async def _write_down(
    settings: KafkaSettings, consumer: AIOKafkaConsumer, targets: dict[TopicPartition, int], done: Rewound
) -> None:
    """While the group has no members anybody may; else as its only one: who else reads has some partitions.

    One who was killed is a member until the broker misses it, and the embedded broker misses nobody before
    somebody joins.
    """
    with contextlib.suppress(CommitFailedError):
        await consumer.commit(targets)
        return
    loop = asyncio.get_running_loop()
    deadline = loop.time() + settings.session_timeout_ms / 1000 + _SPARE_S
    consumer.unsubscribe()
    consumer.subscribe([one.topic for one in targets][:1])
    while consumer.assignment() != set(targets):
        if loop.time() > deadline:
            raise StillReadingError(f"a {done.group} still reads {done.topic}")
        await asyncio.sleep(_LOOK_EVERY_S)
    try:
        await consumer.commit(targets)
    except CommitFailedError as error:
        raise StillReadingError(f"a {done.group} has begun to read {done.topic}") from error


async def _back(
    consumer: AIOKafkaConsumer,
    partitions: Sequence[TopicPartition],
    topic: Topic,
    group: str,
    then: Mapping[int, int],
) -> tuple[Rewound, dict[TopicPartition, int]]:
    begins, ends = await consumer.beginning_offsets(partitions), await consumer.end_offsets(partitions)
    targets: dict[TopicPartition, int] = {}
    again = lost = 0
    for one in partitions:
        read = await consumer.committed(one) or begins[one]
        recorded = then.get(one.partition, begins[one])
        is_another = recorded > max(ends[one], read)
        target = begins[one] if is_another else max(min(recorded, read), begins[one])
        lost += 0 if is_another else max(begins[one] - recorded, 0)
        again += max(read, ends[one]) - target
        targets[one] = target
    return Rewound(topic.name, group, again, lost), targets


def _pairs() -> list[tuple[Topic, str]]:
    return [(topic, group) for topic in REBUILDING for group in topic.groups]


@asynccontextmanager
async def _reader(
    settings: KafkaSettings, topic: Topic, group: str
) -> AsyncIterator[tuple[AIOKafkaConsumer, list[TopicPartition]]]:
    """In the group's name, without being a member of it."""
    name = settings.topic_prefix + topic.name
    await choose(settings)
    consumer = AIOKafkaConsumer(
        **client_options(settings),
        group_id=settings.topic_prefix + group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        session_timeout_ms=settings.session_timeout_ms,
        heartbeat_interval_ms=settings.session_timeout_ms // 4,
    )
    try:
        await consumer.start()
        await consumer._client.add_topic(name)  # noqa: SLF001 - else its partitions are unknown
        partitions = [
            TopicPartition(name, number) for number in sorted(consumer.partitions_for_topic(name) or ())
        ]
        if not partitions:
            raise DependencyDown("kafka", f"there is no topic {name}; run `listeningpost topics`")
        consumer.assign(partitions)
        yield consumer, partitions
    except (KafkaError, OSError) as error:
        raise DependencyDown("kafka", type(error).__name__) from error
    finally:
        await consumer.stop()
