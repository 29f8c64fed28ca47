"""Consumes subscriptions through FastStream: raw batches, committed by us and only after the work."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from aiokafka import AIOKafkaConsumer, ConsumerRecord
from aiokafka.errors import KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.message import FAKE_CONSUMER, KafkaMessage
from pydantic import SecretStr

from shared.bus.admin import missing_topics
from shared.bus.away import away
from shared.bus.batch import BatchRunner
from shared.bus.connection import addresses, security
from shared.bus.dead_letters import DeadLetterWriter
from shared.bus.login import LOOK_EVERY_S, choose
from shared.bus.policy import DeadLetterLimit, Policy
from shared.bus.publisher import Publisher
from shared.bus.revive import revive
from shared.bus.subscription import Subscription
from shared.errors import DependencyDown
from shared.settings import KafkaSettings

_FINISH_WITHIN_S = 6.0
RawBatch: TypeAlias = tuple[ConsumerRecord[bytes, bytes], ...]


class Consumer:
    """A Component. Reads every subscription in its group; several replicas share the partitions."""

    name = "consumer"

    def __init__(
        self,
        settings: KafkaSettings,
        subscriptions: Sequence[Subscription],
        publisher: Publisher,
        service: str,
    ) -> None:
        self._settings = settings
        self._subscriptions = subscriptions
        self._dead_letters = DeadLetterWriter(publisher, service, settings.topic_prefix)
        self._runners: list[BatchRunner] = []
        self._consumers: list[Callable[[], AIOKafkaConsumer | None]] = []
        self._brokers: list[KafkaBroker] = []
        #: With which the brokers log in.
        self._password: SecretStr | None = None
        self._watch: asyncio.Task[None] | None = None
        self._problem: str | None = None

    async def start(self) -> None:
        """Raises DependencyDown while Kafka is away or a topic is missing."""
        await self._begin()
        self._watch = asyncio.create_task(self._keep_watch(), name="watch the consumers")

    async def _begin(self) -> None:
        missing = await missing_topics(
            self._settings, [subscription.topic for subscription in self._subscriptions]
        )
        if missing:
            raise DependencyDown("kafka", f"missing topics: {', '.join(missing)}; run `listeningpost topics`")
        self._runners, self._consumers = [], []
        self._password = self._settings.password_in_use
        brokers = [self._connect(subscription) for subscription in self._subscriptions]
        try:
            await _start(brokers)
        except (KafkaError, OSError) as error:
            raise await away(self._settings, error) from error
        self._brokers = brokers

    async def stop(self) -> None:
        """Takes nothing more, finishes and commits the batches in hand."""
        if self._watch is not None:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch
            self._watch = None
        await self._end()

    async def _end(self) -> None:
        for runner in self._runners:
            runner.close()
        brokers, self._brokers = self._brokers, []
        await _stop(brokers)

    async def _keep_watch(self) -> None:
        """The clients stay at work, and a newer password counts."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            for consumer in self._consumers:
                if (started := consumer()) is not None:
                    revive(started._client)  # noqa: SLF001 - it shows it nowhere else
            await choose(self._settings)
            # One that has stopped for good must not go on because of a password.
            if self._password != self._settings.password_in_use and not any(
                runner.is_stopped for runner in self._runners
            ):
                await self._join_anew()

    async def _join_anew(self) -> None:
        """What is in hand is finished and committed, then the groups are joined with the newer password.

        aiokafka logs in once a connection and cannot be given another password for the next.
        """
        await self._end()
        while not self._brokers:
            try:
                await self._begin()
            except DependencyDown as error:
                self._problem = str(error)
                await asyncio.sleep(LOOK_EVERY_S)
        self._problem = None

    def problem(self) -> str | None:
        if self._problem is not None:
            return self._problem
        problems = [problem for runner in self._runners if (problem := runner.problem()) is not None]
        return "; ".join(problems) or None

    def _connect(self, subscription: Subscription) -> KafkaBroker:
        broker = KafkaBroker(
            addresses(self._settings),
            request_timeout_ms=self._settings.request_timeout_ms,
            metadata_max_age_ms=30_000,
            security=security(self._settings),
            consumer_only=True,
            apply_types=False,
            graceful_timeout=_FINISH_WITHIN_S,
            logger=None,
        )
        self._subscribe(broker, subscription)
        return broker

    def _subscribe(self, broker: KafkaBroker, subscription: Subscription) -> None:
        # Partitions are dealt out anew, in turn, when a replica comes or goes: aiokafka 0.14 knows no
        # cooperative protocol, and its sticky assignor keeps what it knows in the class, which two groups of
        # one process would share. Meanwhile nobody reads for 0.1 to 0.3 s [measured, 12 partitions].
        subscriber = broker.subscriber(
            self._settings.topic_prefix + subscription.topic.name,
            group_id=self._settings.topic_prefix + subscription.group,
            batch=True,
            max_records=subscription.max_records,
            batch_timeout_ms=subscription.linger_ms,
            ack_policy=AckPolicy.MANUAL,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=subscription.linger_ms,
            session_timeout_ms=self._settings.session_timeout_ms,
            heartbeat_interval_ms=self._settings.session_timeout_ms // 4,
            parser=_parse,
            decoder=_decode,
        )

        def consumer() -> AIOKafkaConsumer | None:
            return subscriber.consumer

        policy = Policy(subscription, self._dead_letters, DeadLetterLimit(self._settings))
        runner = BatchRunner(subscription.topic.name, policy, consumer)
        self._runners.append(runner)
        self._consumers.append(consumer)

        async def handle(records: RawBatch) -> None:
            await runner.run(records)

        subscriber(handle)


async def _start(brokers: Sequence[KafkaBroker]) -> None:
    """All at once: a broker may let each of them wait for seconds until it may join its group."""
    joining = [asyncio.create_task(broker.start()) for broker in brokers]
    try:
        await asyncio.gather(*joining)
    except BaseException:
        # One could not start, or we are stopped meanwhile.
        for task in joining:
            task.cancel()
        await asyncio.gather(*joining, return_exceptions=True)
        await _stop(brokers)
        raise


async def _stop(brokers: Sequence[KafkaBroker]) -> None:
    await asyncio.gather(*(broker.stop() for broker in brokers))


async def _parse(records: RawBatch, _: object) -> KafkaMessage:
    """FastStream's own parser decodes every header as UTF-8: one odd header would lose the whole batch."""
    return KafkaMessage(
        body=b"", headers={}, raw_message=records, consumer=FAKE_CONSUMER, message_id="", correlation_id=""
    )


async def _decode(message: Any, _: object) -> RawBatch:  # noqa: ANN401 - FastStream's own type
    records: RawBatch = message.raw_message
    return records
