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
    def ratio(self) -> float:
        return self.ours / self.bare


class Bench:
    """Ingest with the door open, and a topic beside it for the bare ones."""

    def __init__(self, house: House, ingest: Running, token: str, event_bytes: int) -> None:
        self.house = house
        self.headers = {"authorization": f"Bearer {token}"}
        self.ingest = ingest
        self._event_bytes = event_bytes
        self._seed = 1

    def fresh_seed(self) -> int:
        """Other pieces than before: what is known already might be cheaper."""
        self._seed += 1
        return self._seed

    async def batches(self, events: int) -> Pair:
        bodies = pieces.ndjson(self.fresh_seed(), events // BATCH, BATCH)
        headers = {"content-type": "application/x-ndjson", **self.headers}
        raw = [request("/v1/feedback", body, headers) for body in bodies]
        seconds = await _post(self.ingest.port, raw, _BATCH_CONNECTIONS)
        return Pair(events / seconds, await self.produced(events))

    async def produced(self, events: int) -> float:
        """Records a second of the bare producer."""
        process = await asyncio.create_subprocess_exec(
            *(*_BARE, "produce", *self._where(), "--events", str(events), "--batch", str(BATCH)),
            stdout=asyncio.subprocess.PIPE,
        )
        said, _ = await process.communicate()
        return events / float(json.loads(said)["seconds"])

    async def single(self, events: int) -> Pair:
        bodies = pieces.ndjson(self.fresh_seed(), events, 1)
        headers = {"content-type": "application/json"}
        raw = [request("/v1/feedback", body, headers | self.headers) for body in bodies]
        ours = await _post(self.ingest.port, raw, SINGLE_CONNECTIONS)
        async with self._server() as port:
            await _post(port, raw[:200], SINGLE_CONNECTIONS)
            bare = await _post(port, raw, SINGLE_CONNECTIONS)
        return Pair(events / ours, events / bare)

    @asynccontextmanager
    async def _server(self) -> AsyncIterator[int]:
        lease = lease_port()
        argv = (*_BARE, "serve", *self._where(), "--port", str(lease.port))
        server = self.house.process("bare server", argv, self.house.bare_env(), lease)
        server.start()
        try:
            await until(lambda: listens(server.port), within_s=30, what="the bare door is open")
            yield server.port
        finally:
            await self.house.processes.pop("bare server").close()

    def _where(self) -> tuple[str, ...]:
        idempotence = ("--idempotence",) if self.house.kafka_settings.idempotence else ()
        return (
            *("--kafka", self.house.broker.bootstrap, "--topic", _BARE_TOPIC),
            *("--event-bytes", str(self._event_bytes), *idempotence),
        )


@asynccontextmanager
async def bench(*, apache: bool) -> AsyncIterator[Bench]:
    async with House(apache=apache) as house:
        token = await house.furnish(company.example())
        await house.make_topic(_BARE_TOPIC, RECEIVED.partitions)
        ingest = house.service("ingest")
        ingest.start()
        await ingest.ready()
        headers = {"content-type": "application/x-ndjson", "authorization": f"Bearer {token}"}
        warm = [request("/v1/feedback", body, headers) for body in pieces.ndjson(0, 20, BATCH)]
        await _post(ingest.port, warm, _BATCH_CONNECTIONS)
        yield Bench(house, ingest, token, await _event_bytes(house))


async def run(pairs: int, events: int, *, apache: bool, say: Callable[[str], None]) -> dict[str, list[Pair]]:
    """By way of sending: `pairs` pairs of each."""
    results: dict[str, list[Pair]] = {"batches": [], "single": []}
    async with bench(apache=apache) as opened:
        for number in range(pairs):
            for way, pair in (
                ("batches", await opened.batches(events)),
                ("single", await opened.single(events // 5)),
            ):
                results[way].append(pair)
                say(f"{way} {number + 1}: ours {pair.ours:,.0f}/s, bare {pair.bare:,.0f}/s, {pair.ratio:.2f}")
    return results


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
