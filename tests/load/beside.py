"""Part (d): live pieces while an import is poured in as fast as it is taken; how much later do they arrive?

The same house as in part (b). First live pieces alone, then the same beside the import, from its first row
until the last one is stored. The import begins with one request of 10,000 items, the most that is taken.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import Callable
from dataclasses import dataclass

from shared.store.owners import FEEDBACK
from tests.load import pieces, whole
from tests.load.client import Client, request
from tests.load.window import Window
from tests.support.wait import until

Say = Callable[[str], None]

LIMIT_S = 3.0
LIVE_RATE = 5.0
_ONE_REQUEST = 10_000
_CONNECTIONS = 2
_ACCEPTED = 202
_WARM_RATE, _WARM_S = 20.0, 5.0
_ANSWER_WITHIN_S = 120.0
_STORED_WITHIN_S = 900.0
_BATCH = "everything of 2019"


@dataclass(frozen=True, slots=True)
class Import:
    """How long until every row was accepted, and until every row was classified and stored."""

    rows: int
    accepted_s: float
    stored_s: float


@dataclass(frozen=True, slots=True)
class Beside:
    alone: Window
    beside: Window
    imported: Import


async def measure(rows: int, alone_s: float, say: Say, *, apache: bool) -> Beside:
    requests = _requests(rows)
    async with whole.bench(apache=apache) as bench:
        await bench.window(_WARM_RATE, _WARM_S)
        alone = await bench.window(LIVE_RATE, alone_s)
        say(whole.line(alone))
        over = asyncio.Event()
        pouring = asyncio.create_task(_pour(bench, requests, rows, over))
        beside = await bench.window(LIVE_RATE, _STORED_WITHIN_S, over)
        say(whole.line(beside))
        return Beside(alone, beside, await pouring)


def _requests(rows: int) -> list[bytes]:
    """Bodies of NDJSON, made before the time that is measured."""
    items = (
        item | {"mode": "import", "batch": _BATCH, "occurred_at": "2019-07-14T14:00:00Z"}
        for item in itertools.islice(pieces.items(11), rows)
    )
    lines = [json.dumps(item).encode() for item in items]
    return [b"\n".join(lines[start : start + _ONE_REQUEST]) for start in range(0, rows, _ONE_REQUEST)]


async def _pour(bench: whole.Bench, bodies: list[bytes], rows: int, over: asyncio.Event) -> Import:
    """Sets `over` when the last row is stored, or cannot be any more."""
    feedback = bench.store.collection(FEEDBACK.name)
    left = iter(bodies)
    headers = {**bench.headers, "content-type": "application/x-ndjson"}

    async def connection() -> None:
        client = Client(bench.port)
        for body in left:
            answer = await client.send(request("/v1/feedback", body, headers), _ANSWER_WITHIN_S)
            if answer.status != _ACCEPTED:
                raise RuntimeError(f"answered with {answer.status}: {answer.body[:500].decode()}")
        client.close()

    async def stored() -> bool:
        return await feedback.count_documents({"batch": _BATCH}) >= rows

    try:
        started = time.monotonic()
        await asyncio.gather(*(connection() for _ in range(_CONNECTIONS)))
        accepted_s = time.monotonic() - started
        await until(stored, within_s=_STORED_WITHIN_S, what=f"{rows} rows are stored")
        return Import(rows, accepted_s, time.monotonic() - started)
    finally:
        over.set()
