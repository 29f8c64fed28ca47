"""The load of a bench: an open loop of requests, and the watch for what becomes of them.

Open: each request has its moment, and its time counts from that moment, not from when we got round to it.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from deploy.cli import connect
from deploy.cli.arrivals import arrivals
from deploy.cli.borrowed_key import key_for_tests
from deploy.cli.settings import CliSettings
from services.ingest.channels.rest import PATH
from shared.events.feedback import FeedbackReceived

_WITHIN_S = 30.0
_WAIT_S = 30.0
_CONNECTIONS = 256
_WORDS = "The line on the bill is not clear, and nobody at the hotline could explain it. (Bench {name}.)"


@dataclass
class Measured:
    """Latencies are in ms since the moment a piece was to be sent. `word` begins each piece's external id."""

    rate: float
    word: str
    sent: int = 0
    kept: int = 0
    took_s: float = 0.0
    accepted_ms: list[float] = field(default_factory=list)
    classified_ms: list[float] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)

    @property
    def kept_per_s(self) -> float:
        return self.kept / self.took_s if self.took_s else 0.0


async def measure(where: CliSettings, *, rate: float, seconds: float, console: Console) -> Measured:
    """Raises DependencyDown without Kafka or MongoDB."""
    found, count = Measured(rate, f"bench-{secrets.token_hex(4)}"), max(1, round(rate * seconds))
    limits = httpx.Limits(max_connections=_CONNECTIONS, max_keepalive_connections=_CONNECTIONS)
    async with (
        connect.store(where) as store,
        httpx.AsyncClient(base_url=str(where.cli.ingest_url), timeout=_WITHIN_S, limits=limits) as http,
        arrivals(where, lambda event: _name(event, found.word), received=False) as seen,
        key_for_tests(where, store, http) as key,
    ):
        http.headers["authorization"] = f"Bearer {key}"
        columns = (TextColumn("sending"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=console, transient=True) as progress:
            task = progress.add_task("", total=count)
            due = await _send_all(http, found, count, lambda: progress.advance(task))
        with console.status("waiting until they are classified"):
            await seen.until(lambda: len(seen.classified) >= found.kept, _WAIT_S)
    found.classified_ms += [(arrived.at - due[name]) * 1000 for name, arrived in seen.classified.items()]
    return found


def _name(event: FeedbackReceived, word: str) -> str | None:
    ours = event.external_id is not None and event.external_id.startswith(word)
    return event.external_id if ours else None


async def _send_all(
    http: httpx.AsyncClient, found: Measured, count: int, advance: Callable[[], None]
) -> dict[str, float]:
    """By external id, the moment each was to be sent. Returns when all are answered."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    due = {f"{found.word}-{number}": began + number / found.rate for number in range(count)}

    async def one(name: str, moment: float) -> None:
        await _send(http, found, name, moment)
        advance()

    async with asyncio.TaskGroup() as sending:
        for name, moment in due.items():
            delay_s = moment - loop.time()
            if delay_s > 0:
                await asyncio.sleep(delay_s)
            sending.create_task(one(name, moment))
    found.took_s = loop.time() - began
    return due


async def _send(http: httpx.AsyncClient, found: Measured, name: str, moment: float) -> None:
    found.sent += 1
    item = {"text": _WORDS.format(name=name), "external_id": name, "mode": "test"}
    try:
        answer = await http.post(PATH, json=item)
    except httpx.TransportError as error:
        found.refused[f"no answer ({type(error).__name__})"] += 1
        return
    if answer.status_code != httpx.codes.ACCEPTED:
        found.refused[f"answered {answer.status_code}"] += 1
        return
    found.kept += 1
    found.accepted_ms.append((asyncio.get_running_loop().time() - moment) * 1000)
