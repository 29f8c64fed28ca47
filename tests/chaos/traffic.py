"""Feedback sent through the REST door by a sender that never gives up, and remembers what it was promised."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

from tests.load import pieces
from tests.load.answers import KEPT
from tests.load.client import Client, request
from tests.support.wait import until

KEPT_WITHIN_S = 120.0
MORE_WITHIN_S = 60.0
_BATCH = 5
_ANSWER_WITHIN_S = 10.0
_ACCEPTED = 202
_COME_AGAIN = {429, 503}
#: Every fourth piece says that somebody is leaving and in a hurry: urgent, whatever else it says.
_URGENT_EVERY = 4
_URGENT = "We have a total outage and will cancel our contract today. Our lawyer will write to you. "


class Traffic:
    """`kept` maps every feedback_id that was answered with 202 to the item it was promised for.

    Each item has an `external_id`, so that one which is sent again after a broken connection is the same
    piece.
    """

    def __init__(self, port: int, token: str, seed: int) -> None:
        self.prefix = f"load-{seed}-"
        self.kept: dict[str, dict[str, Any]] = {}
        self.spooled = 0
        self.broken = 0
        self.refused = 0
        self._port = port
        self._headers = {"content-type": "application/json", "authorization": f"Bearer {token}"}
        self._items = _items(seed)

    async def send(self, count: int, lanes: int = 3) -> None:
        """`count` new pieces are kept; those that are not answered with 202 are sent again until they are."""
        batches = iter([[next(self._items) for _ in range(_BATCH)] for _ in range(count // _BATCH)])

        async def lane() -> None:
            client = Client(self._port)
            try:
                for batch in batches:
                    await self._insist(client, batch)
            finally:
                client.close()

        async with asyncio.TaskGroup() as group:
            for _ in range(lanes):
                group.create_task(lane())

    async def more(self, number: int, within_s: float = MORE_WITHIN_S) -> None:
        """Returns when `number` more are kept than now."""
        wanted = len(self.kept) + number
        await until(
            lambda: len(self.kept) >= wanted, within_s=within_s, what=f"{number} more pieces are kept"
        )

    @asynccontextmanager
    async def flowing(self, per_s: float) -> AsyncIterator[None]:
        """Pieces go on being sent during the block; at its end all that was sent is kept."""
        over = asyncio.Event()
        flow = asyncio.create_task(self._flow(per_s / _BATCH, over))
        try:
            yield
        finally:
            over.set()
            await flow

    async def _flow(self, batches_per_s: float, over: asyncio.Event) -> None:
        # A batch that waits for the door holds up no other: what is out there does not queue for us.
        async with asyncio.TaskGroup() as group:
            while not over.is_set():
                group.create_task(self.send(_BATCH, lanes=1))
                try:
                    async with asyncio.timeout(1 / batches_per_s):
                        await over.wait()
                except TimeoutError:
                    continue

    async def _insist(self, client: Client, batch: list[dict[str, Any]]) -> None:
        raw = request("/v1/feedback", json.dumps(batch).encode(), self._headers)

        async def kept() -> bool:
            try:
                answer = await client.send(raw, _ANSWER_WITHIN_S)
            except OSError:
                self.broken += 1
                return False
            if answer.status != _ACCEPTED:
                self.refused += 1
                if answer.status not in _COME_AGAIN:
                    raise RuntimeError(f"answered with {answer.status}: {answer.body!r}")
                return False
            self._remember(batch, json.loads(answer.body)["results"])
            return True

        await until(kept, within_s=KEPT_WITHIN_S, what="the door takes a batch")

    def _remember(self, batch: list[dict[str, Any]], results: list[dict[str, Any]]) -> None:
        for item, result in zip(batch, results, strict=True):
            assert result["status"] in KEPT, result
            self.spooled += result["status"] == "spooled"
            self.kept[result["feedback_id"]] = item


def _items(seed: int) -> Iterator[dict[str, Any]]:
    for number, item in enumerate(pieces.items(seed)):
        if number % _URGENT_EVERY == 0:
            yield {**item, "text": _URGENT + item["text"]}
        else:
            yield item
