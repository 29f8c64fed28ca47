"""A webhook receiver that takes everything, and writes down when: as a part of a test, or as a process.

`python -m tests.load.sink [HOST:]PORT` runs it as a process; `GET /from/<number>` answers what it got.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any, cast

import httptools
import uvloop

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Delivery:
    """`at_s` is time.monotonic(), which all processes of a machine share."""

    webhook_id: str
    path: str
    feedback_id: str
    at_s: float


class Sink:
    """`status` is what it answers. Bound to the loop in which it was started."""

    def __init__(self, port: int, host: str = HOST) -> None:
        self.port = port
        self._host = host
        self.status = 200
        self.deliveries: list[Delivery] = []
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Transport] = set()

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _Connection(self, self._connections), self._host, self.port
        )

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            for transport in list(self._connections):
                transport.close()
            await self._server.wait_closed()
            self._server = None

    def times(self) -> Counter[str]:
        """How often each webhook-id came."""
        return Counter(delivery.webhook_id for delivery in self.deliveries)

    def take(self, path: str, webhook_id: str, body: bytes) -> int:
        """The status to answer. Only what was answered with success counts as received."""
        if self.status < 300:
            content = json.loads(body)
            self.deliveries.append(Delivery(webhook_id, path, _feedback_id(content), time.monotonic()))
        return self.status

    def since(self, number: int) -> bytes:
        return json.dumps([asdict(delivery) for delivery in self.deliveries[number:]]).encode()


def _feedback_id(content: dict[str, Any]) -> str:
    """Of the piece a notice is about: at the top, or in the `data` of a Standard Webhooks payload."""
    data = content.get("data", content)
    return str(data.get("feedback_id", ""))


class _Connection(asyncio.Protocol):
    def __init__(self, sink: Sink, connections: set[asyncio.Transport]) -> None:
        self._sink = sink
        self._connections = connections
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._reset()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no subclasses of asyncio's.
        self._transport = cast("asyncio.Transport", transport)
        self._connections.add(self._transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._transport is not None:
            self._connections.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self._path += url.decode()

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"webhook-id":
            self._webhook_id = value.decode()

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        if self._parser.get_method() == b"GET":
            status, answer = 200, self._sink.since(int(self._path.rpartition("/")[2]))
        else:
            status = self._sink.take(self._path, self._webhook_id, b"".join(self._body))
            answer = b"{}"
        self._reset()
        if self._transport is not None:
            head = f"HTTP/1.1 {status} -\r\ncontent-length: {len(answer)}\r\n\r\n"
            self._transport.write(head.encode() + answer)

    def _reset(self) -> None:
        self._path, self._webhook_id = "", ""
        self._body: list[bytes] = []


async def _serve(address: str) -> None:
    host, _, port = address.rpartition(":")
    sink = Sink(int(port), host or HOST)
    await sink.start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(_serve(sys.argv[1]))
