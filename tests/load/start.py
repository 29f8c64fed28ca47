"""Part (e): from the start of a service's process to its `/readyz`, broker and database being up.

Each service alone, one after the other, then all of them at the same moment.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.load import company
from tests.load.house import House, Running
from tests.load.proc import usage

Say = Callable[[str], None]

LIMIT_S = 5.0
SERVICES = ("ingest", "classifier", "notifier", "console")


@dataclass(frozen=True, slots=True)
class Start:
    """`cpu_s`: processor time of the process until it was ready, all threads."""

    service: str
    wall_s: float
    cpu_s: float


@dataclass(frozen=True, slots=True)
class Starts:
    alone: list[Start]
    together: list[Start]


async def measure(times: int, say: Say, *, apache: bool) -> Starts:
    """`times` for each service, after a first start that is not counted: it compiles what others find."""
    async with House(apache=apache) as house:
        await house.furnish(company.example())
        services = [house.service(name) for name in SERVICES]
        for service in services:
            await _start(service)
        alone = [await _start(service) for service in services for _ in range(times)]
        say(line("alone", alone))
        together: list[Start] = []
        for _ in range(times):
            together += await asyncio.gather(*(_start(service) for service in services))
        say(line("together", together))
        return Starts(alone, together)


async def _start(service: Running) -> Start:
    started = time.monotonic()
    service.start()
    await service.ready()
    found = Start(service.name, time.monotonic() - started, usage(service.pid).cpu_s)
    await service.stop()
    return found


def line(how: str, starts: list[Start]) -> str:
    each = [
        f"{name} " + " ".join(f"{one.wall_s:.1f}/{one.cpu_s:.1f}" for one in starts if one.service == name)
        for name in SERVICES
    ]
    return f"{how}, s until ready/of processor time: " + ", ".join(each)
