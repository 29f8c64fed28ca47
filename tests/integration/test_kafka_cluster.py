"""Three nodes of Apache Kafka: what a publisher was told is kept is kept, whichever of them dies."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from typing import Self

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.bus.admin import describe, ensure_topics
from shared.bus.condition import cluster as condition
from shared.bus.condition import lags
from shared.bus.connection import client_options
from shared.bus.consumer import Consumer
from shared.bus.publisher import Publisher
from shared.bus.subscription import Outcome, Received, Subscription
from shared.bus.tail import read_all
from shared.errors import DependencyDown
from shared.events.feedback import FeedbackReceived
from shared.events.topics import RECEIVED
from shared.settings import KafkaSettings
from tests.support.choice import Stack
from tests.support.feedback import piece
from tests.support.kafka_cluster import KafkaCluster
from tests.support.wait import until

pytestmark = pytest.mark.timeout(240)

_CONSUMER_GROUPS = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand"
_KEYS = 12
_MORE = 200
_WITHIN_S = 60.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_cluster(pytestconfig: pytest.Config) -> AsyncIterator[KafkaCluster]:
    if Stack(pytestconfig.getoption("--stack")) is not Stack.APACHE_KAFKA:
        pytest.skip("three nodes of Apache Kafka; see --stack=apache-kafka")
    async with KafkaCluster() as cluster:
        yield cluster


@pytest_asyncio.fixture
async def cluster(shared_cluster: KafkaCluster) -> KafkaCluster:
    """All of them run, whatever an earlier test did."""
    await shared_cluster.start()
    await shared_cluster.healed()
    return shared_cluster


@pytest_asyncio.fixture
async def kafka(cluster: KafkaCluster, topic_prefix: str) -> KafkaSettings:
    settings = KafkaSettings(
        bootstrap_servers=cluster.bootstrap,
        topic_prefix=topic_prefix,
        replication_factor=3,
        session_timeout_ms=6_000,
    )
    await ensure_topics(settings)
    return settings


class Writers:
    """One a key, each saying the revisions of its piece one after the other; `said` counts what is kept."""

    def __init__(self, publisher: Publisher) -> None:
        self.said: Counter[str] = Counter()
        self._publisher = publisher
        self._over = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._writing = asyncio.gather(*(self._write(f"{number}") for number in range(_KEYS)))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._over.set()
        await self._writing

    async def more(self, count: int = _MORE) -> None:
        wanted = self.said.total() + count

        def enough() -> bool:
            if self._writing.done():
                self._writing.result()
            return self.said.total() >= wanted

        await until(enough, within_s=_WITHIN_S, what=f"{count} more are acknowledged")

    async def _write(self, name: str) -> None:
        while not self._over.is_set():
            event = piece(name, revision=self.said[name] + 1)
            await self._publisher.publish(RECEIVED, [event])
            self.said[name] += 1


async def _kept(kafka: KafkaSettings) -> dict[str, list[int]]:
    """The revisions of each piece as they lie in the topic."""
    found: dict[str, list[int]] = {}
    async for record in read_all(kafka, RECEIVED.name):
        event = FeedbackReceived.model_validate_json(record.value or b"")
        found.setdefault(event.text.removeprefix("piece "), []).append(event.revision)
    return found


async def test_leaders_killed_under_load_lose_nothing_and_repeat_nothing(
    cluster: KafkaCluster, kafka: KafkaSettings, publisher: Publisher
) -> None:
    """`acks=all` and the idempotent producer: each revision once, and the revisions of a key in order."""
    async with Writers(publisher) as writers:
        for partition in range(3):
            await writers.more()
            leader = await cluster.leader(kafka.topic_prefix + RECEIVED.name, partition)
            await leader.kill()
            await writers.more()
            await cluster.start()
            await cluster.healed()
    assert await _kept(kafka) == {name: list(range(1, said + 1)) for name, said in writers.said.items()}


async def test_without_a_majority_a_publisher_is_told_that_kafka_is_away(
    cluster: KafkaCluster, kafka: KafkaSettings, publisher: Publisher
) -> None:
    await publisher.publish(RECEIVED, [piece("before")])
    leader = await cluster.leader(kafka.topic_prefix + RECEIVED.name)
    others = [node for node in cluster.nodes if node is not leader]
    await asyncio.gather(*(node.kill() for node in others))
    for number in range(3):
        with pytest.raises(DependencyDown) as refused:
            await publisher.publish(RECEIVED, [piece(f"meanwhile {number}")], within_s=3)
        assert refused.value.dependency == "kafka"
    await cluster.start()
    await cluster.healed()
    await publisher.publish(RECEIVED, [piece("after")], within_s=_WITHIN_S)
    kept = await _kept(kafka)
    assert {"before", "after"} <= kept.keys()


async def test_readers_go_on_when_the_node_that_keeps_their_group_is_killed(
    cluster: KafkaCluster, kafka: KafkaSettings, publisher: Publisher
) -> None:
    seen: Counter[str] = Counter()

    async def read(batch: Sequence[Received[FeedbackReceived]]) -> Sequence[Outcome]:
        seen.update(received.event.text for received in batch)
        return [Outcome.DONE] * len(batch)

    async def committed() -> bool:
        (lag,) = [lag for lag in await lags(kafka) if lag.topic == RECEIVED.name]
        assert lag.behind == 0, lag
        return lag.is_known

    consumer = Consumer(kafka, [Subscription(RECEIVED, "classifier", read)], publisher, "tests")
    await consumer.start()
    try:
        await publisher.publish(RECEIVED, [piece(f"{number}") for number in range(50)])
        await until(lambda: len(seen) == 50, within_s=_WITHIN_S, what="the first 50 are read")
        await (await cluster.coordinator(kafka.topic_prefix + "classifier")).kill()
        await publisher.publish(RECEIVED, [piece(f"{number}") for number in range(50, 100)])
        await until(lambda: len(seen) == 100, within_s=_WITHIN_S, what="all 100 are read")
        await until(committed, within_s=_WITHIN_S, what="all of them are committed")
    finally:
        await consumer.stop()


async def test_a_cluster_of_three_is_made_and_described(kafka: KafkaSettings) -> None:
    found = await condition(kafka)
    assert (found.brokers, found.knows_idempotence) == (3, True)
    assert await ensure_topics(kafka) == []
    assert all(state.partitions == state.declared_partitions for state in await describe(kafka))


async def test_the_lag_is_what_kafkas_own_command_says(
    cluster: KafkaCluster, kafka: KafkaSettings, publisher: Publisher
) -> None:
    group, name = kafka.topic_prefix + "classifier", kafka.topic_prefix + RECEIVED.name
    await publisher.publish(RECEIVED, [piece(f"{number}") for number in range(60)])
    reader = AIOKafkaConsumer(enable_auto_commit=False, group_id=group, **client_options(kafka))
    await reader.start()
    try:
        partitions = [TopicPartition(name, number) for number in range(RECEIVED.partitions)]
        reader.assign(partitions)
        ends = await reader.end_offsets(partitions)
        await reader.commit({where: end // 2 for where, end in ends.items()})
    finally:
        await reader.stop()
    described = await cluster.nodes[0].tool(_CONSUMER_GROUPS, "--describe", "--group", group)
    theirs = sum(int(row[5]) for row in (line.split() for line in described) if row[1:2] == [name])
    (ours,) = [lag for lag in await lags(kafka) if lag.topic == RECEIVED.name]
    assert 0 < theirs < 60
    assert ours.behind == theirs
