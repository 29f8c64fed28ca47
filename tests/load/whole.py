"""Part (b): the whole way, from the moment a piece was meant to be sent until its notices are received.

Real tagger, three recipients a piece, each a webhook receiver on one sink. Finds the highest constant rate
that is held for a minute: the 99th percentile under 1.5 s, and no growing lag.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from deploy.embedded.ports import lease_port
from deploy.embedded.readiness import listens
from tests.load import company, pieces
from tests.load.answers import feedback_ids
from tests.load.client import Client, request
from tests.load.house import House, Running
from tests.load.open_loop import OpenLoop, Sent, single
from tests.load.proc import Usage, machine_cpu_s, usage
from tests.load.search import search
from tests.load.sink import HOST
from tests.load.window import Percentiles, Window, costs, percentiles
from tests.support.wait import until

Say = Callable[[str], None]

_OBSERVE_EVERY_S = 0.5
_DRAINED_WITHIN_S = 60.0
_WARM_RATE = 20.0
_WARM_S = 5.0
_NOTHING = Percentiles(float("inf"), float("inf"), float("inf"), float("inf"))


class Bench:
    """Services, sink and generator, up. `headers` and `port` are for whoever sends beside it."""

    def __init__(self, house: House, services: Sequence[Running], sink: Running, token: str) -> None:
        self.store = house.store
        self.port = services[0].port
        self.headers = {"content-type": "application/json", "authorization": f"Bearer {token}"}
        self._house = house
        self._services = services
        self._sink = Client(sink.port)
        self._generator = OpenLoop(self.port, self.headers, single(pieces.items(7)), _id_of)
        self._received: dict[str, list[float]] = {}
        self._read = 0
        self._count = 0

    async def window(self, rate: float, duration_s: float, over: asyncio.Event | None = None) -> Window:
        """Sends, waits until everything has arrived (or will not any more), and sums up.

        No longer than `duration_s`, and than until `over` is set.
        """
        started = time.monotonic()
        sent, lag, first = Sent(), list[int](), self._count
        before, (worked, passed) = self._usage(), machine_cpu_s()
        watching = asyncio.create_task(self._watch(sent, lag, first))
        try:
            await self._generator.run(rate, duration_s, sent, over)
            duration_s = time.monotonic() - started
        finally:
            watching.cancel()
        after, (worked_after, passed_after) = self._usage(), machine_cpu_s()
        await asyncio.wait({watching})
        await self._drain(first + len(sent.meant_s) * company.RECIPIENTS)
        took = {
            feedback_id: [at_s - meant_s for at_s in self._received.pop(feedback_id, [])]
            for feedback_id, meant_s in sent.meant_s.items()
        }
        flat = [seconds for notices in took.values() for seconds in notices]
        return Window(
            rate=rate,
            duration_s=duration_s,
            pieces=len(took),
            missing=sum(max(0, company.RECIPIENTS - len(notices)) for notices in took.values()),
            repeated=sum(max(0, len(notices) - company.RECIPIENTS) for notices in took.values()),
            refused=tuple(sent.refused),
            latency=percentiles(flat) if flat else _NOTHING,
            lag=tuple(lag),
            machine_busy=(worked_after - worked) / (passed_after - passed),
            costs=costs(before, after, len(took)),
        )

    def close(self) -> None:
        self._generator.close()
        self._sink.close()

    async def _watch(self, sent: Sent, lag: list[int], first: int) -> None:
        while True:
            await asyncio.sleep(_OBSERVE_EVERY_S)
            await self._observe()
            lag.append(sent.due * company.RECIPIENTS - (self._count - first))

    async def _observe(self) -> int:
        answer = await self._sink.send(request(f"/from/{self._read}", b"", {}, "GET"))
        for delivery in json.loads(answer.body):
            self._read += 1
            if not delivery["feedback_id"]:
                continue  # a summary
            self._received.setdefault(delivery["feedback_id"], []).append(delivery["at_s"])
            self._count += 1
        return self._count

    async def _drain(self, count: int) -> None:
        async def drained() -> bool:
            return await self._observe() >= count

        try:
            await until(drained, within_s=_DRAINED_WITHIN_S, what="every notice has arrived")
        except AssertionError:
            return  # the window says what is missing

    def _usage(self) -> dict[str, Usage]:
        pids = {service.name: service.pid for service in self._services}
        pids |= {"broker": self._house.broker.pid, "mongod": self._house.mongo.pid}
        return {name: usage(pid) for name, pid in pids.items()}


@asynccontextmanager
async def bench(*, apache: bool) -> AsyncIterator[Bench]:
    async with House(apache=apache, env=company.ENV) as house:
        lease = lease_port()
        argv = (sys.executable, "-m", "tests.load.sink", str(lease.port))
        sink = house.process("sink", argv, house.bare_env(), lease)
        sink.start()
        await until(lambda: listens(sink.port), within_s=30, what="the sink is open")
        token = await house.furnish(company.with_sink(f"http://{HOST}:{sink.port}"))
        services = [house.service(name) for name in ("ingest", "classifier", "notifier")]
        for service in services:
            service.start()
        for service in services:
            await service.ready()
        made = Bench(house, services, sink, token)
        try:
            yield made
        finally:
            made.close()


async def highest_rate(bench: Bench, probe_s: float, hold_s: float, say: Say) -> list[Window]:
    """Every window, in order. The last one is the answer if it has no faults; else no rate was held."""
    await bench.window(_WARM_RATE, _WARM_S)
    windows: list[Window] = []

    async def holds(rate: float, duration_s: float) -> bool:
        window = await bench.window(rate, duration_s)
        windows.append(window)
        say(line(window))
        return not window.faults

    await search(holds, probe_s=probe_s, hold_s=hold_s)
    return windows


def line(window: Window) -> str:
    latency = window.latency
    return (
        f"{window.rate:6.1f}/s for {window.duration_s:3.0f} s:"
        f" p50 {latency.p50_s:.3f} p90 {latency.p90_s:.3f} p99 {latency.p99_s:.3f} max {latency.max_s:.3f} s,"
        f" {window.machine_busy:4.0%} of the machine: {', '.join(window.faults) or 'held'}"
    )


def _id_of(body: bytes) -> str:
    (feedback_id,) = feedback_ids(body)
    return feedback_id
