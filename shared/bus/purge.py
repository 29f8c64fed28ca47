"""Takes single dead letters out of their topics, which Kafka itself cannot do.

What stays is written once more, at the end; then everything up to where we had read is deleted. Letters that
come in meanwhile lie behind that. A crash in between leaves some of them twice, which does no harm.

The embedded broker says that it can delete records, and hangs up. What it has is in memory alone: there the
topic is deleted and made anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.admin import RecordsToDelete

from shared.bus.admin import admin_client, ensure_topics
from shared.bus.dead_letters import waiting
from shared.bus.publisher import Publisher, Record
from shared.bus.tail import read_all
from shared.events.topics import TOPICS, Topic
from shared.settings import KafkaSettings

_AT_ONCE = 200
Found: TypeAlias = "ConsumerRecord[bytes, bytes]"


async def purge_dead_letters(
    settings: KafkaSettings, publisher: Publisher, doomed: Callable[[bytes, bytes], bool]
) -> int:
    """No dead letter is left whose key and value are `doomed`; how many went. Raises DependencyDown.

    All of a topic's letters are in memory for a moment: a consumer stops before there are many.
    """
    gone = 0
    for topic in TOPICS:
        records = [record async for record in read_all(settings, topic.dead_letters)]
        marked = {id(record) for record in records if doomed(record.key or b"", record.value or b"")}
        if not marked:
            continue
        kept = [record for record in waiting(records, settings.topic_prefix) if id(record) not in marked]
        await _replace(settings, publisher, topic, records, kept)
        gone += len(marked)
    return gone


async def _replace(
    settings: KafkaSettings, publisher: Publisher, topic: Topic, old: Sequence[Found], kept: Sequence[Found]
) -> None:
    if settings.delete_records:
        await _write(publisher, topic, kept)
        ends = {TopicPartition(record.topic, record.partition): record.offset + 1 for record in old}
        async with admin_client(settings) as admin:
            await admin.delete_records(
                {where: RecordsToDelete(before_offset=end) for where, end in ends.items()}
            )
        return
    async with admin_client(settings) as admin:
        await admin.delete_topics([settings.topic_prefix + topic.dead_letters])
    await ensure_topics(settings)
    await _write(publisher, topic, kept)


async def _write(publisher: Publisher, topic: Topic, kept: Sequence[Found]) -> None:
    for chunk in _chunks([(record.key, record.value, list(record.headers)) for record in kept]):
        await publisher.publish_raw(topic.dead_letters, chunk)


def _chunks(records: Sequence[Record]) -> Iterator[Sequence[Record]]:
    return (records[start : start + _AT_ONCE] for start in range(0, len(records), _AT_ONCE))
