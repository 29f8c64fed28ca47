"""Publishes events. What `publish` returns from is on every in-sync replica.

A producer of our own beside FastStream's consumers: one await gathers the acknowledgements of a whole batch,
and idempotence is a setting.
"""

from __future__ import annotations

import asyncio
import contextlib
import zlib
from collections.abc import Sequence
from typing import TypeAlias

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

from shared.bus.codec import Headers, encode
from shared.bus.connection import client_options
from shared.errors import DependencyDown, PermanentError, Reason
from shared.events.base import Event
from shared.events.topics import Topic
from shared.settings import KafkaSettings
from shared.telemetry.metrics import EVENTS_PUBLISHED

Record: TypeAlias = tuple[bytes | None, bytes | None, list[tuple[str, bytes]]]
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
        self._watch: asyncio.Task[None] | None = None
        self._restarting = asyncio.Lock()
        self._problem: str | None = None

    async def start(self) -> None:
        self._producer = await self._connect()
        self._watch = asyncio.create_task(self._keep_watch(), name="watch kafka")

    async def stop(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch
            self._watch = None
        producer, self._producer = self._producer, None
        if producer is not None:
            await _close(producer)

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

        Raises DependencyDown when that did not happen `within_s` (some of them may arrive all the same, so
        consumers are idempotent), PermanentError, before anything is sent, when one of them is too large.
        """
        parents: Sequence[str | None] = traces if traces is not None else [None] * len(events)
        records = [encode(event, self._source, parent) for event, parent in zip(events, parents, strict=True)]
        await self.publish_raw(topic.name, records, within_s=within_s)

    async def publish_raw(
        self, topic: str, records: Sequence[Record], *, within_s: float | None = None
    ) -> None:
        """Like `publish`, for records that are encoded already: (key, value, headers)."""
        producer = self._producer
        if producer is None:
            raise DependencyDown("kafka", "the producer is not started")
        limit_s = within_s if within_s is not None else self._settings.request_timeout_ms / 1000
        try:
            async with asyncio.timeout(limit_s):
                await _send(producer, self._settings.topic_prefix + topic, records)
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

    async def _connect(self) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            **client_options(self._settings),
            acks="all",
            enable_idempotence=self._settings.idempotence,
            linger_ms=self._settings.linger_ms,
            max_batch_size=262_144,
            max_request_size=1_048_576,
        )
        try:
            await producer.start()
        except (KafkaError, OSError) as error:
            await _close(producer)
            raise DependencyDown("kafka", type(error).__name__) from error
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
            await _close(lost)
            self._producer = await self._connect()

    async def _keep_watch(self) -> None:
        while True:
            await asyncio.sleep(_WATCH_EVERY_S)
            producer = self._producer
            if producer is None:
                continue
            try:
                async with asyncio.timeout(_WATCH_EVERY_S * 2):
                    await producer.client.fetch_all_metadata()
            except (KafkaError, OSError, TimeoutError) as error:
                self._problem = f"Kafka does not answer ({type(error).__name__})"
            else:
                self._problem = None


async def _send(producer: AIOKafkaProducer, topic: str, records: Sequence[Record]) -> None:
    waiting: list[asyncio.Future[object]] = []
    try:
        partitions = sorted(await producer.partitions_for(topic))
        for key, value, headers in records:
            # By CRC-32: Kafka's own murmur2 is pure Python in aiokafka and took 10 µs a record. Records of a
            # key must meet in one partition, and whoever writes to our topics does it here.
            where = partitions[zlib.crc32(key) % len(partitions)] if key is not None else None
            # `send` waits for room in the buffer, one record at a time: back-pressure.
            sending = await producer.send(topic, value=value, key=key, partition=where, headers=headers)
            waiting.append(sending)
        for future in waiting:
            # Records of one Kafka batch are acknowledged together, so few have to be waited for.
            if not future.done():
                await asyncio.shield(future)
            future.result()
    finally:
        for future in waiting:
            if future.done():
                _retrieve(future)
            else:
                future.add_done_callback(_retrieve)


def _retrieve(future: asyncio.Future[object]) -> None:
    """Look at the outcome of a record nobody waits for any more, else asyncio reports it as forgotten."""
    if not future.cancelled():
        future.exception()


async def _close(producer: AIOKafkaProducer) -> None:
    try:
        async with asyncio.timeout(3):
            await producer.stop()
    except (KafkaError, OSError, TimeoutError) as error:
        _log.warning("producer_not_closed", error=type(error).__name__)


__all__ = ["Headers", "Publisher", "Record"]
