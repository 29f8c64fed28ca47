"""Topics: made where they are missing, never changed or deleted; and what differs from the declaration."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from shared.bus.away import away
from shared.bus.connection import client_options
from shared.bus.login import choose
from shared.errors import ConfigurationError, DependencyDown
from shared.events.topics import DLQ_PARTITIONS, DLQ_SUFFIX, TOPICS, Topic
from shared.settings import KafkaSettings

_DAY_MS = 86_400_000
_ASK_EVERY_S = 0.05


@dataclass(frozen=True, slots=True)
class TopicState:
    """A declared topic and what the cluster has: `partitions` is 0 where it is missing."""

    name: str
    declared_partitions: int
    partitions: int


async def ensure_topics(settings: KafkaSettings) -> list[str]:
    """Make what is missing, dead letters included, and the broker knows it; the names made.

    Raises DependencyDown.
    """
    missing = [state for state in await describe(settings) if not state.partitions]
    kept_ms = retentions_ms(settings)
    configs = {
        name: topic.config | {"retention.ms": str(kept_ms[name])}
        for topic in TOPICS
        for name in (topic.name, topic.dead_letters)
    }
    wanted = [
        NewTopic(
            settings.topic_prefix + state.name,
            state.declared_partitions,
            settings.replication_factor,
            topic_configs=configs[state.name],
        )
        for state in missing
    ]
    if wanted:
        async with admin_client(settings) as admin:
            response = await admin.create_topics(wanted)
        _raise_for(response.topic_errors)
        await _known(settings)
    return [state.name for state in missing]


async def _known(settings: KafkaSettings) -> None:
    """The controller answers as soon as they are made; a broker hears of it a moment later."""
    try:
        async with asyncio.timeout(settings.request_timeout_ms / 1000):
            while True:
                if all(state.partitions for state in await describe(settings)):
                    return
                await asyncio.sleep(_ASK_EVERY_S)
    except TimeoutError:
        raise DependencyDown("kafka", "the topics made are not there yet") from None


def retentions_ms(settings: KafkaSettings) -> dict[str, int]:
    """How long each topic is to keep its records, dead letters as long as their topic; -1 is for ever.

    Raises ConfigurationError for a setting that names none of our topics, or one that is kept for ever.
    """
    found = {name: topic.retention_ms for topic in TOPICS for name in (topic.name, topic.dead_letters)}
    for name, days in settings.retention_days.items():
        if found.get(name, -1) < 0:
            msg = f"LISTENINGPOST_KAFKA__RETENTION_DAYS: {name!r} is no topic whose retention can be set"
            raise ConfigurationError(msg)
        found |= {name: days * _DAY_MS, name + DLQ_SUFFIX: days * _DAY_MS}
    return found


async def describe(settings: KafkaSettings) -> list[TopicState]:
    """Every declared topic and its dead letters, as they are in the cluster. Raises DependencyDown."""
    declared = {name: count for topic in TOPICS for name, count in _family(topic)}
    async with admin_client(settings) as admin:
        existing = set(await admin.list_topics())
        present = [name for name in declared if settings.topic_prefix + name in existing]
        described = (
            await admin.describe_topics([settings.topic_prefix + name for name in present]) if present else []
        )
    counts = {entry["topic"]: len(entry["partitions"]) for entry in described}
    return [
        TopicState(name, count, counts.get(settings.topic_prefix + name, 0))
        for name, count in declared.items()
    ]


async def missing_topics(settings: KafkaSettings, topics: Sequence[Topic]) -> list[str]:
    """The names of `topics` and their dead letters that the cluster does not have. Raises DependencyDown."""
    async with admin_client(settings) as admin:
        existing = set(await admin.list_topics())
    names = [name for topic in topics for name, _ in _family(topic)]
    return [name for name in names if settings.topic_prefix + name not in existing]


async def broker_knows(admin: AIOKafkaAdminClient, request: int) -> bool:
    """Whether a broker can do a request, by Kafka's number of it. Source: kafka.apache.org/protocol."""
    client = admin._client  # noqa: SLF001 - what a broker can do is asked at connecting, and kept there
    connection = await client._get_conn(client.get_random_node())  # noqa: SLF001 - as above
    return request in (getattr(connection, "_versions", None) or {})


def _family(topic: Topic) -> tuple[tuple[str, int], tuple[str, int]]:
    return (topic.name, topic.partitions), (topic.dead_letters, DLQ_PARTITIONS)


def _raise_for(errors: Sequence[tuple[str, int, str | None]]) -> None:
    for name, code, *detail in errors:
        # Another replica that starts at the same time may have been faster.
        if code and for_code(code) is not TopicAlreadyExistsError:
            raise DependencyDown("kafka", f"{name} cannot be made: {for_code(code).__name__} {detail}")


@asynccontextmanager
async def admin_client(settings: KafkaSettings) -> AsyncIterator[AIOKafkaAdminClient]:
    await choose(settings)
    admin = AIOKafkaAdminClient(**client_options(settings))
    try:
        await admin.start()
        yield admin
    except (KafkaError, OSError) as error:
        raise await away(settings, error) from error
    finally:
        await admin.close()
