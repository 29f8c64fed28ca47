"""How the cluster is, and how far behind its readers are, for `listeningpost doctor`. Changes nothing."""

from __future__ import annotations

from dataclasses import dataclass

from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from shared.bus.admin import admin_client, broker_knows
from shared.bus.lag import probing
from shared.events.topics import TOPICS
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
    found: list[Lag] = []
    async with probing(settings) as probe:
        for topic in TOPICS:
            unread = await probe.unread(topic)
            for group in topic.groups if unread else ():
                of_group = [one for one in unread if one.group == group]
                behind = sum(one.behind for one in of_group)
                found.append(Lag(topic.name, group, behind, any(one.is_known for one in of_group)))
    return found
