"""The least that takes feedback in: what accepting is measured against. Its records have the bytes of ours.

    python -m tests.load.bare_accept produce …   batches straight into Kafka, no HTTP: how fast a producer is
    python -m tests.load.bare_accept serve …     POST → validate the item → acknowledged by Kafka → 202

`produce` prints how many seconds it took, as JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time

import uvloop
from aiokafka import AIOKafkaProducer

from services.ingest.domain.rest.item import Item
from tests.load import pieces
from tests.load.bare import HOST, Connection, Door

_AT_ONCE = 8


class Validating(Door):
    """As `Door`, after it has validated each item as we do."""

    async def take(self, body: bytes) -> bytes:
        for line in body.split(b"\n"):
            Item.model_validate_json(line)
        return await super().take(body)


async def _producer(options: argparse.Namespace) -> AIOKafkaProducer:
    producer = AIOKafkaProducer(
        bootstrap_servers=options.kafka,
        acks="all",
        enable_idempotence=options.idempotence,
        linger_ms=options.linger_ms,
        max_batch_size=262_144,
        max_request_size=1_048_576,
    )
    await producer.start()
    return producer


async def produce(options: argparse.Namespace) -> None:
    producer = await _producer(options)
    door = Door(producer, options.topic, options.event_bytes)
    for body in pieces.ndjson(0, 10, options.batch):
        await door.take(body)
    bodies = iter(pieces.ndjson(1, options.events // options.batch, options.batch))

    async def worker() -> None:
        for body in bodies:
            await door.take(body)

    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(_AT_ONCE):
            group.create_task(worker())
    sys.stdout.write(json.dumps({"seconds": time.perf_counter() - started}))
    await producer.stop()


async def serve(options: argparse.Namespace) -> None:
    door = Validating(await _producer(options), options.topic, options.event_bytes)
    server = await asyncio.get_running_loop().create_server(lambda: Connection(door), HOST, options.port)
    await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.load.bare_accept", description=__doc__.split("\n", 1)[0]
    )
    parser.add_argument("part", choices=("produce", "serve"))
    parser.add_argument("--kafka", required=True)
    parser.add_argument("--topic", required=True)
    parser.add_argument("--idempotence", action="store_true")
    parser.add_argument("--linger-ms", type=int, default=5)
    parser.add_argument("--event-bytes", type=int, required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--events", type=int, default=0)
    parser.add_argument("--batch", type=int, default=100)
    options = parser.parse_args()
    uvloop.run(produce(options) if options.part == "produce" else serve(options))


if __name__ == "__main__":
    main()
