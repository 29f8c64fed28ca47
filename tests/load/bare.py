"""The least that takes feedback over HTTP, through Kafka, into MongoDB: what our own way is measured against.

Frozen. A baseline that is changed together with what it measures measures nothing: a test compares this
file's checksum, and whoever must change it measures all figures of docs/performance.md again.

Two processes, as many as ours, with our settings of producer, consumer and store:

    python -m tests.load.bare accept …   POST of NDJSON → one record a line → all acknowledged → 202
    python -m tests.load.bare store  …   records → `insert_many(ordered=False)` → commit

It reads no item, checks no key, tags nothing and publishes nothing further. Events and documents are padded
to the bytes of ours, so that broker, network and database have the same to carry.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from typing import Any, cast
from uuid import uuid4

import httptools
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError
from bson import encode
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import WriteConcern

HOST = "127.0.0.1"
_PADDED = b'{"id":"%b","item":%b,"pad":"%b"}'
_UNAVAILABLE = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n"


class Door:
    """Lines of a body become records. Every record is brought to `event_bytes`, key included."""

    def __init__(self, producer: AIOKafkaProducer, topic: str, event_bytes: int) -> None:
        self._producer = producer
        self._topic = topic
        self._event_bytes = event_bytes

    async def take(self, body: bytes) -> bytes:
        """The whole HTTP response, once every record is acknowledged."""
        lines = [line for line in body.split(b"\n") if line]
        try:
            waiting = []
            for line in lines:
                key = str(uuid4()).encode()
                pad = b"x" * (self._event_bytes - len(_PADDED) + 6 - len(line) - 2 * len(key))
                value = _PADDED % (key, line, pad)
                waiting.append(await self._producer.send(self._topic, value=value, key=key))
            await asyncio.gather(*waiting)
        except KafkaError:
            return _UNAVAILABLE
        answer = b'{"accepted":%d}' % len(lines)
        return b"HTTP/1.1 202 Accepted\r\ncontent-length: %d\r\n\r\n%b" % (len(answer), answer)


class Connection(asyncio.Protocol):
    """One kept-alive connection; its requests are answered one after the other."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._parser = httptools.HttpRequestParser(self)
        self._body: list[bytes] = []
        self._transport: asyncio.Transport | None = None
        self._working: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no subclasses of asyncio's.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        body, self._body = b"".join(self._body), []
        task = asyncio.get_running_loop().create_task(self._answer(body))
        self._working.add(task)
        task.add_done_callback(self._working.discard)

    async def _answer(self, body: bytes) -> None:
        response = await self._door.take(body)
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(response)


async def accept(options: argparse.Namespace) -> None:
    producer = AIOKafkaProducer(
        bootstrap_servers=options.kafka,
        acks="all",
        enable_idempotence=options.idempotence,
        linger_ms=5,
        max_batch_size=262_144,
        max_request_size=1_048_576,
    )
    await producer.start()
    door = Door(producer, options.topic, options.event_bytes)
    server = await asyncio.get_running_loop().create_server(lambda: Connection(door), HOST, options.port)
    await server.serve_forever()


async def store(options: argparse.Namespace) -> None:
    consumer = AIOKafkaConsumer(
        options.topic,
        bootstrap_servers=options.kafka,
        group_id=options.topic,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=20,
    )
    client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(options.mongo)
    concern = WriteConcern(w="majority", j=True, wtimeout=10_000)
    feedback = client.get_database(options.database).get_collection("feedback", write_concern=concern)
    pad = ""
    await consumer.start()
    while True:
        batches = await consumer.getmany(timeout_ms=20, max_records=500)
        records = [record for batch in batches.values() for record in batch]
        if not records:
            continue
        if not pad:
            unpadded_bytes = sum(len(encode(_document(record.value, ""))) for record in records) // len(
                records
            )
            pad = "x" * (options.document_bytes - unpadded_bytes)
        await feedback.insert_many([_document(record.value, pad) for record in records], ordered=False)
        await consumer.commit()


def _document(value: bytes, pad: str) -> dict[str, Any]:
    event = json.loads(value)
    return {"_id": event["id"], "item": event["item"], "pad": pad}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.load.bare", description=__doc__.split("\n", 1)[0])
    parts = parser.add_subparsers(dest="part", required=True)
    for name in ("accept", "store"):
        part = parts.add_parser(name)
        part.add_argument("--kafka", required=True)
        part.add_argument("--topic", required=True)
    parts.choices["accept"].add_argument("--port", type=int, required=True)
    parts.choices["accept"].add_argument("--idempotence", action="store_true")
    parts.choices["accept"].add_argument("--event-bytes", type=int, required=True)
    parts.choices["store"].add_argument("--mongo", required=True)
    parts.choices["store"].add_argument("--database", required=True)
    parts.choices["store"].add_argument("--document-bytes", type=int, required=True)
    options = parser.parse_args()
    uvloop.run(accept(options) if options.part == "accept" else store(options))


if __name__ == "__main__":
    main()
