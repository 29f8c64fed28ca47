"""How far the readers of our topics are behind, by record and by age.

Whoever publishes looks, not whoever reads: readers that are dead say nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from shared.bus.admin import admin_client, retentions_ms
from shared.bus.away import away
from shared.bus.connection import client_options
from shared.bus.tail import stop_reader
from shared.errors import DependencyDown
from shared.events.topics import Topic
from shared.looping import Looping
from shared.settings import KafkaSettings
from shared.telemetry.metrics import CONSUMER_LAG, OLDEST_UNREAD_SECONDS, TOPIC_RETENTION_SECONDS

_EVERY_S = 15.0
_READ_WITHIN_S = 5.0
#: Of a record its time alone is wanted; a broker gives a whole batch at least.
_FETCH_BYTES = 1_024
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Unread:
    """A partition as a group sees it.

    `first` is the first record that is not committed, `end` one past the last. `is_known`: the group has
    committed something there.
    """

    group: str
    where: TopicPartition
    first: int
    end: int
    is_known: bool

    @property
    def behind(self) -> int:
        return max(self.end - self.first, 0)


class Probe:
    """Looks into one cluster. Every method raises DependencyDown."""

    def __init__(
        self, settings: KafkaSettings, admin: AIOKafkaAdminClient, consumer: AIOKafkaConsumer
    ) -> None:
        self._settings = settings
        self._admin = admin
        self._consumer = consumer

    async def unread(self, topic: Topic) -> list[Unread]:
        """By group and partition; empty for a topic that is not there.

        The embedded broker tells too small an end for the last batch, so what is behind may be shown as 0.
        """
        name = self._settings.topic_prefix + topic.name
        [described] = await self._admin.describe_topics([name])
        partitions = [TopicPartition(name, entry["partition"]) for entry in described["partitions"]]
        if not partitions:
            return []
        await self._consumer._client.add_topic(name)  # noqa: SLF001 - else its partitions are unknown
        ends = await self._consumer.end_offsets(partitions)
        begins = await self._consumer.beginning_offsets(partitions)
        found = []
        for group in topic.groups:
            # Named one by one: the embedded broker cannot be asked for all there are.
            committed = await self._admin.list_consumer_group_offsets(
                self._settings.topic_prefix + group, partitions=partitions
            )
            read = {where: entry.offset for where, entry in committed.items() if entry.offset >= 0}
            found += [
                Unread(group, one, max(read.get(one, 0), begins[one]), ends[one], one in read)
                for one in partitions
            ]
        return found

    async def written_at(self, offsets: dict[TopicPartition, int]) -> dict[TopicPartition, float]:
        """When the records there were written, in seconds since 1970, as far as they were read in time."""
        found: dict[TopicPartition, float] = {}
        self._consumer.assign(list(offsets))
        try:
            for where, offset in offsets.items():
                self._consumer.seek(where, offset)
            deadline = time.monotonic() + _READ_WITHIN_S
            while len(found) < len(offsets) and time.monotonic() < deadline:
                left = [where for where in offsets if where not in found]
                for where, records in (await self._consumer.getmany(*left, timeout_ms=500)).items():
                    found[where] = records[0].timestamp / 1000
        finally:
            # Else it would go on fetching.
            self._consumer.unsubscribe()
        return found


@asynccontextmanager
async def probing(settings: KafkaSettings) -> AsyncIterator[Probe]:
    """Raises DependencyDown."""
    async with admin_client(settings) as admin:
        consumer = AIOKafkaConsumer(
            **client_options(settings), enable_auto_commit=False, max_partition_fetch_bytes=_FETCH_BYTES
        )
        try:
            await consumer.start()
            yield Probe(settings, admin, consumer)
        except (KafkaError, OSError) as error:
            raise await away(settings, error) from error
        finally:
            await stop_reader(consumer)


class LagWatch(Looping):
    """A Component: tells the metrics, four times a minute."""

    def __init__(self, settings: KafkaSettings, topics: Sequence[Topic], now: Callable[[], datetime]) -> None:
        super().__init__("lag")
        self._settings = settings
        self._topics = topics
        self._now = now
        self._ends: dict[tuple[str, TopicPartition], int] = {}

    def problem(self) -> str | None:
        """None: who cannot look at others does its own work all the same."""
        return None

    async def run(self) -> None:
        kept_ms = retentions_ms(self._settings)
        for topic in self._topics:
            TOPIC_RETENTION_SECONDS.labels(topic.name).set(kept_ms[topic.name] / 1000)
        while True:
            try:
                async with probing(self._settings) as probe:
                    while True:
                        await self.look(probe)
                        await asyncio.sleep(_EVERY_S)
            except DependencyDown as error:
                _log.debug("lag_unknown", cause=str(error))
            await asyncio.sleep(_EVERY_S)

    async def look(self, probe: Probe) -> None:
        """The metrics are of this moment. Raises DependencyDown."""
        for topic in self._topics:
            unread = await probe.unread(topic)
            waiting = {(one.group, one.where): one.first for one in unread if self._has_waited(one)}
            written = await self._written(probe, waiting)
            oldest: dict[str, float] = defaultdict(float)
            for one in unread:
                CONSUMER_LAG.labels(topic.name, one.group, str(one.where.partition)).set(one.behind)
                since = written.get((one.group, one.where))
                age_s = max(self._now().timestamp() - since, 0.0) if since is not None else 0.0
                oldest[one.group] = max(oldest[one.group], age_s)
                self._ends[one.group, one.where] = one.end
            for group, age_s in oldest.items():
                OLDEST_UNREAD_SECONDS.labels(topic.name, group).set(age_s)

    def _has_waited(self, one: Unread) -> bool:
        """Whether it was there at the last look: under a steady load nothing has to be read."""
        return one.first < min(self._ends.get((one.group, one.where), one.end), one.end)

    async def _written(
        self, probe: Probe, waiting: dict[tuple[str, TopicPartition], int]
    ) -> dict[tuple[str, TopicPartition], float]:
        found: dict[tuple[str, TopicPartition], float] = {}
        for group in {group for group, _ in waiting}:
            offsets = {where: first for (of, where), first in waiting.items() if of == group}
            for where, written in (await probe.written_at(offsets)).items():
                found[group, where] = written
        return found
