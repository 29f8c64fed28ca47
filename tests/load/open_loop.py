"""Sends at a constant rate whatever the answers do, and counts time from when a piece was *meant* to go.

A generator that waits for answers slows down with what it measures, and its percentiles then leave out just
the moments that hurt. Source: Gil Tene on coordinated omission; HdrHistogram is his as well.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tests.load.client import Client, request

_ACCEPTED = 202
_MOST_CONNECTIONS = 1_000
#: Servers close what is idle for some seconds, and a request may just be on its way then.
_IDLE_FOR_S = 2.0


@dataclass(slots=True)
class Sent:
    """`meant_s` is when each piece was meant to go (time.monotonic()), by its feedback_id."""

    meant_s: dict[str, float] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    due: int = 0


class OpenLoop:
    """`bodies` are single items. `feedback_id` reads the id out of an answer."""

    def __init__(
        self,
        port: int,
        headers: dict[str, str],
        bodies: Iterator[bytes],
        feedback_id: Callable[[bytes], str],
    ) -> None:
        self._port = port
        self._headers = headers
        self._bodies = bodies
        self._feedback_id = feedback_id
        self._idle: list[tuple[float, Client]] = []
        self._busy = 0

    async def run(
        self, rate: float, duration_s: float, sent: Sent, over: asyncio.Event | None = None
    ) -> None:
        """Fills `sent`; returns when the last piece is answered. It is the last once `over` is set."""
        started = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for number in range(int(rate * duration_s)):
                if over is not None and over.is_set():
                    break
                meant_s = started + number / rate
                body = next(self._bodies)
                early_s = meant_s - time.monotonic()
                if early_s > 0:
                    await asyncio.sleep(early_s)
                sent.due += 1
                if self._busy >= _MOST_CONNECTIONS:
                    sent.refused.append(f"{_MOST_CONNECTIONS} requests wait for their answers already")
                    continue
                self._busy += 1
                group.create_task(self._send(body, meant_s, sent))

    def close(self) -> None:
        for _, client in self._idle:
            client.close()
        self._idle.clear()

    def _connection(self) -> Client:
        """The one that was used last; what has been idle for too long is closed."""
        now = time.monotonic()
        while self._idle and now - self._idle[0][0] > _IDLE_FOR_S:
            self._idle.pop(0)[1].close()
        return self._idle.pop()[1] if self._idle else Client(self._port)

    async def _send(self, body: bytes, meant_s: float, sent: Sent) -> None:
        client = self._connection()
        try:
            answer = await client.send(request("/v1/feedback", body, self._headers))
        except OSError as error:
            sent.refused.append(type(error).__name__)
            return
        finally:
            self._busy -= 1
            self._idle.append((time.monotonic(), client))
        if answer.status == _ACCEPTED:
            sent.meant_s[self._feedback_id(answer.body)] = meant_s
        else:
            sent.refused.append(str(answer.status))


def single(items: Iterator[dict[str, object]]) -> Iterator[bytes]:
    """Each item as a request body of its own."""
    for item in items:
        yield json.dumps(item).encode()
