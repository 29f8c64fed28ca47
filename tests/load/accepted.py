"""Part (c): taken in and acknowledged. Batches and imports against a bare producer of the same bytes, single
posts against a bare server that validates the same body and waits for the same acknowledgement.

Nothing reads what is taken in meanwhile: neither is there anybody behind the bare ones. Every step of ingest
is on. The pairs alternate, on one broker.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from deploy.embedded.ports import lease_port
from deploy.embedded.readiness import listens
from shared.bus.tail import read_all
from shared.events.topics import RECEIVED
from tests.load import company, pieces
from tests.load.client import Client, request
from tests.load.house import House, Running
from tests.support.wait import until

BATCH = 100
#: As many as a busy portal has open at a time.
SINGLE_CONNECTIONS = 32
_BATCH_CONNECTIONS = 8
_ACCEPTED = 202
_BARE_TOPIC = "bare"
_BARE = (sys.executable, "-m", "tests.load.bare_accept")


@dataclass(frozen=True, slots=True)
class Pair:
    """Pieces a second."""

    ours: float
    bare: float

    @property
    async def _post(port: int, requests: Sequence[bytes], connections: int) -> float:
    """Seconds until all of them were answered. Raises when one is refused."""
    left = iter(requests)

    async def connection() -> None:
        client = Client(port)
        for raw in left:
            answer = await client.send(raw)
            if answer.status != _ACCEPTED:
                raise RuntimeError(f"answered with {answer.status}: {answer.body[:500].decode()}")
        client.close()

    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(connection())
    return time.perf_counter() - started


async def _event_bytes(house: House) -> int:
    """Of one of our events on the wire: key, value and headers, on average."""
    total = count = 0
    async for record in read_all(house.kafka_settings, RECEIVED.name):
        total += len(record.key or b"") + len(record.value or b"")
        total += sum(len(name) + len(content) for name, content in record.headers)
        count += 1
    return total // count
