"""Part (c): taken in and acknowledged. Batches and imports against a bare producer of the same bytes, single
posts against a bare server that validates the same body and waits for the same acknowledgement.

Nothing reads what is taken in meanwhile: neither is there anybody behind the bare ones. Every step of ingest
is on. The pairs alternate, on one broker.

An import is `listeningpost import` of a CSV in a process of its own, from the moment it begins until it is
finished, as ingest keeps them: the start of the command is not in it, as the producer's is not.
"""

from __future__ import annotations

import asyncio
import csv
import json
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from deploy.embedded.ports import lease_port
from deploy.embedded.readiness import listens
from shared.bus.tail import read_all
from shared.events.topics import RECEIVED, RECEIVED_BULK
from shared.store.imports import ImportStore
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
_MEASURED = 2_000
_BARE = (sys.executable, "-m", "tests.load.bare_accept")
_IMPORT = (sys.executable, "-c", "from deploy.cli.main import main; main()", "import", "--yes", "--json")


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

    def __init__(self, house: House, ingest: Running, token: str) -> None:
        self.house = house
        self.headers = {"authorization": f"Bearer {token}"}
        self.ingest = ingest
        self._token = token
        self._seed = 1

    async def warm(self) -> None:
        headers = {"content-type": "application/x-ndjson", **self.headers}
        raw = [request("/v1/feedback", body, headers) for body in pieces.ndjson(0, 20, BATCH)]
        await _post(self.ingest.port, raw, _BATCH_CONNECTIONS)
        await self._imported(_rows(self.house.directory / "warm.csv", 0, 20 * BATCH))

    def fresh_seed(self) -> int:
        """Other pieces than before: what is known already might be cheaper."""
        self._seed += 1
        return self._seed

    async def batches(self, events: int) -> Pair:
        bodies = pieces.ndjson(self.fresh_seed(), events // BATCH, BATCH)
        headers = {"content-type": "application/x-ndjson", **self.headers}
        raw = [request("/v1/feedback", body, headers) for body in bodies]
        seconds = await _post(self.ingest.port, raw, _BATCH_CONNECTIONS)
        return Pair(events / seconds, await self.produced(events, RECEIVED.name))

    async def imports(self, events: int) -> Pair:
        seed = self.fresh_seed()
        seconds = await self._imported(_rows(self.house.directory / f"{seed}.csv", seed, events))
        return Pair(events / seconds, await self.produced(events, RECEIVED_BULK.name))

    async def produced(self, events: int, like: str) -> float:
        """Records a second of the bare producer, of the size of those on the topic `like`."""
        said = await _said(
            *(*_BARE, "produce", *await self._where(like), "--events", str(events), "--batch", str(BATCH))
        )
        return events / float(json.loads(said)["seconds"])

    async def _imported(self, file: Path) -> float:
        """Seconds from the beginning to the end of the import, every row of which is kept."""
        where = ("--url", f"http://127.0.0.1:{self.ingest.port}", "--key", self._token)
        told = json.loads(await _said(*_IMPORT, *where, str(file), env=self.house.bare_env()))
        run = await ImportStore(self.house.store).get(told["import"])
        if run is None or run.started_at is None or run.finished_at is None:
            raise RuntimeError(f"the import is not finished: {told}")
        return (run.finished_at - run.started_at).total_seconds()

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
        argv = (*_BARE, "serve", *await self._where(RECEIVED.name), "--port", str(lease.port))
        server = self.house.process("bare server", argv, self.house.bare_env(), lease)
        server.start()
        try:
            await until(lambda: listens(server.port), within_s=30, what="the bare door is open")
            yield server.port
        finally:
            await self.house.processes.pop("bare server").close()

    async def _where(self, like: str) -> tuple[str, ...]:
        idempotence = ("--idempotence",) if self.house.kafka_settings.idempotence else ()
        return (
            *("--kafka", self.house.broker.bootstrap, "--topic", _BARE_TOPIC),
            *("--event-bytes", str(await _event_bytes(self.house, like)), *idempotence),
        )


@asynccontextmanager
async def bench(*, apache: bool) -> AsyncIterator[Bench]:
    async with House(apache=apache) as house:
        token = await house.furnish(company.example())
        await house.make_topic(_BARE_TOPIC, RECEIVED.partitions)
        ingest = house.service("ingest")
        ingest.start()
        await ingest.ready()
        opened = Bench(house, ingest, token)
        await opened.warm()
        yield opened


async def run(pairs: int, events: int, *, apache: bool, say: Callable[[str], None]) -> dict[str, list[Pair]]:
    """By way of sending: `pairs` pairs of each."""
    results: dict[str, list[Pair]] = {"batches": [], "imports": [], "single": []}
    async with bench(apache=apache) as opened:
        for number in range(pairs):
            for way, pair in (
                ("batches", await opened.batches(events)),
                ("imports", await opened.imports(events)),
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


async def _said(*argv: str, env: Mapping[str, str] | None = None) -> bytes:
    """What a program prints. Raises RuntimeError when it fails."""
    process = await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.PIPE, env=env)
    said, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"{argv[2]} ended with {process.returncode}: {said.decode()}")
    return said


def _rows(file: Path, seed: int, count: int) -> Path:
    """The pieces that are posted in the other ways, as a table."""
    with file.open("w", encoding="utf-8", newline="") as opened:
        table = csv.DictWriter(opened, ("external_id", "text"))
        table.writeheader()
        table.writerows(islice(pieces.items(seed), count))
    return file


async def _event_bytes(house: House, topic: str) -> int:
    """Of one of our events on the wire: key, value and headers, on average of the first ones."""
    total = count = 0
    async for record in read_all(house.kafka_settings, topic):
        total += len(record.key or b"") + len(record.value or b"")
        total += sum(len(name) + len(content) for name, content in record.headers)
        count += 1
        if count == _MEASURED:
            break
    return total // count
