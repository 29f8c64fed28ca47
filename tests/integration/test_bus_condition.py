"""How the cluster is and how far behind its readers are, asked of a real broker."""

from __future__ import annotations

from datetime import timedelta

from aiokafka import AIOKafkaConsumer, TopicPartition
from prometheus_client import REGISTRY

from shared import clock
from shared.bus.condition import cluster, lags, retentions
from shared.bus.connection import client_options
from shared.bus.lag import LagWatch, probing
from shared.bus.publisher import Publisher
from shared.bus.tail import read_all
from shared.events.topics import RECEIVED, TOPICS
from shared.settings import KafkaSettings
from tests.support.feedback import piece


async def test_a_cluster_says_what_it_is_and_how_long_its_topics_keep(kafka: KafkaSettings) -> None:
    found = await cluster(kafka)
    assert found.brokers == 1
    assert found.knows_idempotence or not kafka.idempotence
    kept = await retentions(kafka)
    assert kept == {name: topic.retention_ms for topic in TOPICS for name in (topic.name, topic.dead_letters)}


async def test_a_lag_is_what_a_group_has_not_committed(kafka: KafkaSettings, publisher: Publisher) -> None:
    async def behind() -> tuple[int, bool]:
        (lag,) = [lag for lag in await lags(kafka) if lag.topic == RECEIVED.name]
        return lag.behind, lag.is_known

    assert await behind() == (0, False)
    for number in range(6):
        await publisher.publish(RECEIVED, [piece(str(number))])
    assert await behind() == (6, False)
    name = kafka.topic_prefix + RECEIVED.name
    reader = AIOKafkaConsumer(
        name,
        group_id=kafka.topic_prefix + "classifier",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        **client_options(kafka),
    )
    await reader.start()
    try:
        seen = 0
        while seen < 6:
            seen += sum(len(records) for records in (await reader.getmany(timeout_ms=500)).values())
        ends = {one: await reader.position(one) for one in reader.assignment()}
        await reader.commit({one: end for one, end in ends.items() if isinstance(one, TopicPartition)})
    finally:
        await reader.stop()
    assert await behind() == (0, True)


async def test_the_events_of_a_key_are_found_by_reading_one_partition(
    kafka: KafkaSettings, publisher: Publisher
) -> None:
    events = [piece(str(number)) for number in range(20)]
    await publisher.publish(RECEIVED, events)
    for event in events:
        found = [record.key async for record in read_all(kafka, RECEIVED.name, key=event.key)]
        assert found == [event.key.encode()]


def measured(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(f"listeningpost_{name}", {"topic": RECEIVED.name, **labels})


async def test_what_nobody_reads_grows_old(kafka: KafkaSettings, publisher: Publisher) -> None:
    """Its readers are dead: whoever publishes tells."""
    in_an_hour = LagWatch(kafka, [RECEIVED], lambda: clock.now() + timedelta(hours=1))
    event = piece("one")
    async with probing(kafka) as probe:
        await in_an_hour.look(probe)
        for _ in range(3):
            await publisher.publish(RECEIVED, [event])
        await in_an_hour.look(probe)
        young = measured("consumer_oldest_unread_seconds", group="classifier")
        await in_an_hour.look(probe)
        old = measured("consumer_oldest_unread_seconds", group="classifier")
        lags = [
            measured("consumer_lag_records", group="classifier", partition=str(number))
            for number in range(RECEIVED.partitions)
        ]
    assert young == 0, "what was not there at the last look needs not be read"
    assert old is not None
    assert 3_600 <= old < 3_660
    assert sorted(lag or 0 for lag in lags)[-2:] == [0, 3]
