"""How the cluster is, and how far behind its readers are, for `listeningpost doctor`. Changes nothing."""

from __future__ import annotations

from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError

from shared.bus.admin import admin_client, broker_knows
from shared.bus.away import away
from shared.bus.connection import client_options
from shared.events.topics import TOPICS, Topic
from shared.settings import KafkaSettings

#: Kafka's number of the request InitProducerId.
_INIT_PRODUCER_ID = 22
_RETENTION = "retention.ms"


@dataclass(frozen=True, slots=True)
class Cluster:
    """`knows_idempotence`: it can do what the setting `idempotence` asks for."""

    name: str
    brokers: int
    knows_idempotence: bool


@dataclass(frozen=True, slots=True)
class Lag:
    """How many records of `topic` a group has not committed; `is_known` is False for one that never read."""

    topic: str
    group: str
    behind: int
    is_known: bool


async def cluster(settings: KafkaSettings) -> Cluster:
    """Raises DependencyDown."""
    async with admin_client(settings) as admin:
        described = await admin.describe_cluster()
        knows_idempotence = await broker_knows(admin, _INIT_PRODUCER_ID)
    return Cluster(str(described.get("cluster_id", "")), len(described["brokers"]), knows_idempotence)


async def retentions(settings: KafkaSettings) -> dict[str, int]:
    """How long each topic that exists keeps its records, in ms; -1 is for ever. Raises DependencyDown."""
    wanted = [name for topic in TOPICS for name in (topic.name, topic.dead_letters)]
    found: dict[str, int] = {}
    async with admin_client(settings) as admin:
        existing = set(await admin.list_topics())
        resources = [
            ConfigResource(ConfigResourceType.TOPIC, settings.topic_prefix + name)
            for name in wanted
            if settings.topic_prefix + name in existing
        ]
        for answer in await admin.describe_configs(resources) if resources else ():
            for _, _, _, name, entries in (resource[:5] for resource in answer.resources):
                values = {entry[0]: entry[1] for entry in entries}
                if _RETENTION in values:
                    found[name.removeprefix(settings.topic_prefix)] = int(values[_RETENTION])
    return found


async def lags(settings: KafkaSettings) -> list[Lag]:
    """Of each group that a topic is declared to have. Raises DependencyDown.

    The embedded broker tells too small an end for the last batch, so a lag of a few there may be shown as 0.
    """
    async with admin_client(settings) as admin:
        consumer = AIOKafkaConsumer(**client_options(settings), enable_auto_commit=False)
        found: list[Lag] = []
        try:
            await consumer.start()
            for topic in TOPICS:
                found += await _lags(settings, topic, admin, consumer)
        except (KafkaError, OSError) as error:
            raise await away(settings, error) from error
        finally:
            await consumer.stop()
    return found


async def _lags(
    settings: KafkaSettings, topic: Topic, admin: AIOKafkaAdminClient, consumer: AIOKafkaConsumer
) -> list[Lag]:
    name = settings.topic_prefix + topic.name
    [described] = await admin.describe_topics([name])
    partitions = [TopicPartition(name, entry["partition"]) for entry in described["partitions"]]
    if not partitions:
        return []
    await consumer._client.add_topic(name)  # noqa: SLF001 - else its partitions are unknown
    ends = await consumer.end_offsets(partitions)
    begins = await consumer.beginning_offsets(partitions)
    found = []
    for group in topic.groups:
        # Named one by one: the embedded broker cannot be asked for all there are.
        committed = await admin.list_consumer_group_offsets(
            settings.topic_prefix + group, partitions=partitions
        )
        read = {partition: entry.offset for partition, entry in committed.items() if entry.offset >= 0}
        behind = sum(max(ends[one] - read.get(one, begins[one]), 0) for one in partitions)
        found.append(Lag(topic.name, group, behind, bool(read)))
    return found
