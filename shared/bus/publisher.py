"""Publishes events. What `publish` returns from is on every in-sync replica.

A producer of our own beside FastStream's consumers: one await gathers the acknowledgements of a whole batch,
and idempotence is a setting.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Sequence

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    InvalidProducerEpoch,
    KafkaError,
    MessageSizeTooLargeError,
    OutOfOrderSequenceNumber,
    ProducerClosed,
    ProducerFenced,
    UnknownProducerId,
)
from opentelemetry.trace import SpanKind
from pydantic import SecretStr

from shared.bus.away import away
from shared.bus.codec import Headers, encode
from shared.bus.connection import client_options
from shared.bus.lanes import Lanes, Record
from shared.bus.login import choose
from shared.bus.revive import revive
from shared.errors import DependencyDown, PermanentError, Reason
from shared.events.base import Event
from shared.events.topics import Topic
from shared.settings import KafkaSettings
from shared.telemetry import tracing
from shared.telemetry.metrics import EVENTS_PUBLISHED

_WATCH_EVERY_S = 2.0
#: After these the producer's own state is of no use any more: a new one is needed.
_PRODUCER_LOST = (
    OutOfOrderSequenceNumber,
    UnknownProducerId,
    ProducerFenced,
    InvalidProducerEpoch,
    ProducerClosed,
)
_log = structlog.get_logger()


class Publisher:
    """A Component. `source` becomes the CloudEvents source of what it publishes."""

    name = "kafka"

    def __init__(self, settings: KafkaSettings, source: str) -> None:
        self._settings = settings
        self._source = source
        self._producer: AIOKafkaProducer | None = None
        self._lanes: Lanes | None = None
        #: The producer's, where it logs in with one.
        self._password: SecretStr | None = None
        self._watch: asyncio.Task[None] | None = None
        self._restarting = asyncio.Lock()
        self._problem: str | None = None

    async def start(self) -> None:
        await self._open()
        self._watch = asyncio.create_task(self._keep_watch(), name="watch kafka")

    async def stop(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch
            self._watch = None
        producer, self._producer = self._producer, None
        if producer is not None:
            await self._close(producer)

    def problem(self) -> str | None:
        return self._problem

    async def publish(
        self,
        topic: Topic,
        events: Sequence[Event],
        *,
        within_s: float | None = None,
        traces: Sequence[str | None] | None = None,
    ) -> None:
        """All `events` are acknowledged by all in-sync replicas.

        `within_s` is infinite for whoever bounds the time itself: a clock costs as much as an event.

        Raises DependencyDown when that did not happen `within_s` (some of them may arrive all the same, so
        consumers are idempotent), PermanentError, before anything is sent, when one of them is too large.
        """
        parents: Sequence[str | None] = traces if traces is not None else [None] * len(events)
        told: tracing.Attributes = {"messaging.system": "kafka", "messaging.destination.name": topic.name}
        with tracing.spans(f"publish {topic.name}", SpanKind.PRODUCER, parents, told) as carried:
            records = [encode(event, self._source, each) for event, each in zip(events, carried, strict=True)]
            await self.publish_raw(topic.name, records, within_s=within_s)

    async def publish_raw(
        self, topic: str, records: Sequence[Record], *, within_s: float | None = None
    ) -> None:
        """Like `publish`, for records that are encoded already: (key, value, headers)."""
        producer, lanes = self._producer, self._lanes
        if producer is None or lanes is None:
            raise DependencyDown("kafka", "the producer is not started")
        limit_s = within_s if within_s is not None else self._settings.request_timeout_ms / 1000
        try:
            async with asyncio.timeout(limit_s) if limit_s < math.inf else contextlib.nullcontext():
                await lanes.send(self._settings.topic_prefix + topic, records)
        except TimeoutError:
            raise DependencyDown("kafka", f"no acknowledgement within {limit_s:g} s") from None
        except MessageSizeTooLargeError:
            raise PermanentError(Reason.TOO_LARGE, "a record is over the broker's limit") from None
        except _PRODUCER_LOST as error:
            await self._replace(producer)
            raise DependencyDown("kafka", type(error).__name__) from error
        except KafkaError as error:
            raise DependencyDown("kafka", type(error).__name__) from error
        EVENTS_PUBLISHED.labels(topic).inc(len(records))

    async def _open(self) -> None:
        await choose(self._settings)
        password = self._settings.password_in_use
        self._producer = await self._connect()
        self._password = password
        self._lanes = Lanes(self._producer, self._settings.linger_ms / 1000)

    async def _close(self, producer: AIOKafkaProducer) -> None:
        """What is on its way arrives, if it can within moments; who still waits then is told."""
        await _close(producer)
        lanes, self._lanes = self._lanes, None
        if lanes is not None:
            lanes.close()

    async def _connect(self) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            **client_options(self._settings),
            acks="all",
            enable_idempotence=self._settings.idempotence,
            max_batch_size=262_144,
            max_request_size=1_048_576,
        )
        try:
            await producer.start()
        except (KafkaError, OSError) as error:
            await _close(producer)
            raise await away(self._settings, error) from error
        except asyncio.CancelledError:
            # Stopped while it was still trying.
            await _close(producer)
            raise
        return producer

    async def _replace(self, lost: AIOKafkaProducer) -> None:
        async with self._restarting:
            if self._producer is not lost:
                return
            _log.warning("producer_replaced")
            await self._close(lost)
            await self._open()

    async def _renew(self) -> None:
        """What begins from now on goes by a new producer; what is on its way ends at the old one.

        Raises DependencyDown, and then everything stays as it is.
        """
        async with self._restarting:
            old, lanes = self._producer, self._lanes
            if old is None or lanes is None:
                return
            await self._open()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._settings.request_timeout_ms / 1000):
                    await lanes.drained()
            await _close(old)
            lanes.close()

    async def _log_in_anew(self) -> None:
        """With a newer password, if there is one that the brokers take."""
        await choose(self._settings)
        if self._password != self._settings.password_in_use:
            try:
                await self._renew()
            except DependencyDown as error:
                _log.warning("producer_not_renewed", cause=str(error))

    async def _keep_watch(self) -> None:
        while True:
            await asyncio.sleep(_WATCH_EVERY_S)
            await self._log_in_anew()
            producer = self._producer
            if producer is None:
                continue
            revive(producer.client)
            try:
                async with asyncio.timeout(_WATCH_EVERY_S * 2):
                    await producer.client.fetch_all_metadata()
            except (KafkaError, OSError, TimeoutError) as error:
                self._problem = f"Kafka does not answer ({type(error).__name__})"
            else:
                self._problem = None


async def _close(producer: AIOKafkaProducer) -> None:
    try:
        async with asyncio.timeout(3):
            await producer.stop()
    except (KafkaError, OSError, TimeoutError) as error:
        _log.warning("producer_not_closed", error=type(error).__name__)


__all__ = ["Headers", "Publisher", "Record"]
