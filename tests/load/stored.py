"""Part (a): from accepted to stored, ours against the bare minimum, in alternating pairs.

Ours runs with the constant tagger, and without the notifier: nobody is told, so that both sides end with the
stored document. Every run has a broker and a database of its own, and is warmed up before it is measured.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from motor.motor_asyncio import AsyncIOMotorCollection

from deploy.embedded.ports import lease_port
from deploy.embedded.readiness import listens
from shared.bus.tail import read_all
from shared.events.topics import RECEIVED
from shared.store.owners import FEEDBACK
from tests.load import company, pieces
from tests.load.client import Client, request
from tests.load.house import House, Running
from tests.load.proc import usage
from tests.support.wait import until

CONNECTIONS = 8
BATCH = 100
_WARM_BATCHES = 10
_STORED_WITHIN_S = 120.0
_BARE_TOPIC = "bare"
_ACCEPTED = 202
#: As many records at a time as the bare one takes; the default is fewer, because real tagging takes time.
_CLASSIFIER = {"LISTENINGPOST_CLASSIFIER__ENGINE": "constant", "LISTENINGPOST_CLASSIFIER__BATCH": "500"}


@dataclass(frozen=True, slots=True)
class Bytes:
    """Of one event on the wire (key, value, headers) and of one stored document, on average."""

    event: int
    document: int


@dataclass(frozen=True, slots=True)
class Rate:
    """One measured run. `cpu_us` is processor time an event, by process."""

    events: int
    accepted_s: float
    stored_s: float
    cpu_us: dict[str, float]
    size: Bytes

    @property
    def per_s(self) -> float:
        return self.events / self.stored_s


@dataclass(frozen=True, slots=True)
class Way:
    """One of the two ways, up and ready."""

    house: House
    port: int
    headers: dict[str, str]
    processes: Sequence[Running]


async def measure_ours(events: int, *, apache: bool) -> Rate:
    async with _ours(apache=apache) as way:
        return await _measure(way, events)


async def measure_bare(events: int, size: Bytes, *, apache: bool) -> Rate:
    async with _bare(size, apache=apache) as way:
        return await _measure(way, events)


@asynccontextmanager
async def _ours(*, apache: bool) -> AsyncIterator[Way]:
    async with House(apache=apache) as house:
        token = await house.furnish(company.example())
        ingest = house.service("ingest")
        classifier = house.service("classifier", **_CLASSIFIER)
        for service in (ingest, classifier):
            service.start()
        for service in (ingest, classifier):
            await service.ready()
        yield Way(house, ingest.port, {"authorization": f"Bearer {token}"}, (ingest, classifier))


@asynccontextmanager
async def _bare(size: Bytes, *, apache: bool) -> AsyncIterator[Way]:
    async with House(apache=apache) as house:
        await house.make_topic(_BARE_TOPIC, RECEIVED.partitions)
        python = (sys.executable, "-m", "tests.load.bare")
        where = ("--kafka", house.broker.bootstrap, "--topic", _BARE_TOPIC)
        store = house.process(
            "store",
            (
                *(*python, "store", *where, "--mongo", house.mongo.uri),
                *("--database", house.mongo_settings.database, "--document-bytes", str(size.document)),
            ),
            house.bare_env(),
        )
        lease = lease_port()
        idempotence = ("--idempotence",) if house.kafka_settings.idempotence else ()
        accept = house.process(
            "accept",
            (
                *(*python, "accept", *where, "--port", str(lease.port), *idempotence),
                *("--event-bytes", str(size.event)),
            ),
            house.bare_env(),
            lease,
        )
        for process in (accept, store):
            process.start()
        await until(lambda: listens(accept.port), within_s=30, what="the bare door is open")
        yield Way(house, accept.port, {}, (accept, store))


async def _measure(way: Way, events: int) -> Rate:
    feedback = way.house.store.collection(FEEDBACK.name)
    headers = {"content-type": "application/x-ndjson", **way.headers}
    warm = [request("/v1/feedback", body, headers) for body in pieces.ndjson(0, _WARM_BATCHES, BATCH)]
    await _post(way.port, warm)
    await _stored(feedback, _WARM_BATCHES * BATCH)
    requests = [request("/v1/feedback", body, headers) for body in pieces.ndjson(1, events // BATCH, BATCH)]
    watched = {process.name: process.pid for process in way.processes}
    watched |= {"broker": way.house.broker.pid, "mongod": way.house.mongo.pid}
    before = {name: usage(pid).cpu_s for name, pid in watched.items()}
    started = time.perf_counter()
    await _post(way.port, requests)
    accepted_s = time.perf_counter() - started
    await _stored(feedback, (_WARM_BATCHES + len(requests)) * BATCH)
    stored_s = time.perf_counter() - started
    sent = len(requests) * BATCH
    cpu_us = {name: (usage(pid).cpu_s - before[name]) / sent * 1e6 for name, pid in watched.items()}
    return Rate(sent, accepted_s, stored_s, cpu_us, await _size(way, feedback))


async def _post(port: int, requests: Sequence[bytes]) -> None:
    """All of them, over several connections, each as fast as it is answered. Raises when one is refused."""
    left = iter(requests)

    async def connection() -> None:
        client = Client(port)
        for raw in left:
            answer = await client.send(raw)
            if answer.status != _ACCEPTED:
                raise RuntimeError(f"answered with {answer.status}: {answer.body[:500].decode()}")
        client.close()

    async with asyncio.TaskGroup() as group:
        for _ in range(CONNECTIONS):
            group.create_task(connection())


async def _stored(feedback: AsyncIOMotorCollection[dict[str, object]], count: int) -> None:
    async def enough() -> bool:
        # From the collection's metadata: costs the database nothing.
        return await feedback.estimated_document_count() >= count

    await until(enough, within_s=_STORED_WITHIN_S, what=f"{count} documents are stored")


async def _size(way: Way, feedback: AsyncIOMotorCollection[dict[str, object]]) -> Bytes:
    topic = _BARE_TOPIC if "accept" in way.house.processes else RECEIVED.name
    total = count = 0
    async for record in read_all(way.house.kafka_settings, topic):
        total += len(record.key or b"") + len(record.value or b"")
        total += sum(len(name) + len(content) for name, content in record.headers)
        count += 1
        if count == BATCH * _WARM_BATCHES:
            break
    stats = await way.house.store.db.command("collStats", feedback.name)
    return Bytes(total // count, int(stats["avgObjSize"]))


async def run_pairs(
    pairs: int, events: int, *, apache: bool, say: Callable[[str], None]
) -> list[tuple[Rate, Rate]]:
    """(ours, bare), `pairs` times; which of the two goes first alternates."""
    results: list[tuple[Rate, Rate]] = []
    for number in range(pairs):
        bare: Rate | None = None
        if number % 2:
            bare = await measure_bare(events, results[0][0].size, apache=apache)
        ours = await measure_ours(events, apache=apache)
        size = results[0][0].size if results else ours.size
        bare = bare or await measure_bare(events, size, apache=apache)
        results.append((ours, bare))
        ratio = ours.per_s / bare.per_s
        say(f"pair {number + 1}: ours {ours.per_s:,.0f}/s, bare {bare.per_s:,.0f}/s, ratio {ratio:.2f}")
    return results
