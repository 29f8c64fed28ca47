"""The batch wrapper. It has two exits only: every item has its outcome → commit; anything else → give back.

FastStream skips a batch whose handler raised, and the next bare commit covers it. So nothing is raised from
here, offsets are named in the commit, and a batch that is given back is sought back to, partition by
partition.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from shared.bus.policy import Policy, TooManyDeadLetters
from shared.errors import DependencyDown
from shared.telemetry.metrics import BATCHES_NACKED, CONSUMER_STOPPED

_BACK_OFF_FIRST_S = 0.2
_BACK_OFF_MOST_S = 5.0
Records = Sequence[ConsumerRecord[bytes, bytes]]
_log = structlog.get_logger()


class BatchRunner:
    """Runs the batches of one subscription. `consumer` is asked for when needed: it exists once started."""

    def __init__(self, topic: str, policy: Policy, consumer: Callable[[], AIOKafkaConsumer | None]) -> None:
        self._topic = topic
        self._policy = policy
        self._consumer = consumer
        self._back_off_s = _BACK_OFF_FIRST_S
        self._closing = asyncio.Event()
        self._problem: str | None = None
        self._stopped: str | None = None

    @property
    def is_stopped(self) -> bool:
        """For good, until somebody has mended the cause."""
        return self._stopped is not None

    def close(self) -> None:
        """Stop waiting: the batch in a back-off is given back at once."""
        self._closing.set()

    def problem(self) -> str | None:
        return self._stopped or self._problem

    async def run(self, records: Records) -> None:
        """Settle `records` and commit them, or give them back. Never raises but for cancellation."""
        if self._stopped is not None:
            await self._give_back(records)
            return
        try:
            await self._policy.settle(records)
        except DependencyDown as error:
            self._problem = str(error)
            BATCHES_NACKED.labels(self._topic, error.dependency).inc()
            _log.warning(
                "batch_given_back", topic=self._topic, size=len(records), dependency=error.dependency
            )
            await self._give_back(records)
        except TooManyDeadLetters as error:
            self._stopped = f"stopped: {error}; mend the cause, then restart and replay the dead letters"
            CONSUMER_STOPPED.labels(self._topic).set(1)
            _log.error("consumer_stopped", topic=self._topic, cause=str(error))
            await self._give_back(records)
        else:
            self._problem = None
            self._back_off_s = _BACK_OFF_FIRST_S
            await self._commit(records)

    async def _give_back(self, records: Records) -> None:
        """Seek each partition back to its first record, after a pause during which the heartbeat goes on."""
        try:
            await asyncio.wait_for(self._closing.wait(), self._back_off_s)
        except TimeoutError:
            self._back_off_s = min(self._back_off_s * 2, _BACK_OFF_MOST_S)
        consumer = self._consumer()
        if consumer is None:
            return
        for where, offsets in _by_partition(records).items():
            try:
                consumer.seek(where, min(offsets))
            except IllegalStateError:
                _log.info("partition_lost", topic=where.topic, partition=where.partition)

    async def _commit(self, records: Records) -> None:
        consumer = self._consumer()
        if consumer is None:
            return
        owned = consumer.assignment()
        ends = {
            where: max(offsets) + 1 for where, offsets in _by_partition(records).items() if where in owned
        }
        if not ends:
            return
        try:
            await consumer.commit(ends)
        except (CommitFailedError, IllegalStateError, KafkaError) as error:
            # The new owner repeats the batch, and repeating is harmless.
            _log.info("commit_dropped", topic=self._topic, size=len(records), error=type(error).__name__)


def _by_partition(records: Records) -> dict[TopicPartition, list[int]]:
    """The offsets of a batch, which is of one topic."""
    found: dict[int, list[int]] = {}
    for record in records:
        found.setdefault(record.partition, []).append(record.offset)
    return {TopicPartition(records[0].topic, partition): offsets for partition, offsets in found.items()}
