"""A small HTTP/1.1 server on a loopback port, for third parties of ours that speak HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Self, cast

import httptools


@dataclass(slots=True)
class Request:
    method: str = ""
    path: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered. `hang_up`: nothing, the connection is cut; `silent`: nothing at all."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    hang_up: bool = False
    silent: bool = False


Answering = Callable[[Request], Awaitable[Reply]]


class HttpServer:
    """`async with HttpServer(answer) as server: server.url`."""

    def __init__(self, answer: Answering) -> None:
        self._answer = answer
        self._server: asyncio.Server | None = None
        self._open: set[_Connection] = set()
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _Connection(self._answer, self._open), "127.0.0.1", self.port
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            for connection in tuple(self._open):
                await connection.end()
            await self._server.wait_closed()
            self._server = None


class _Connection(asyncio.Protocol):
    """One connection; the callbacks are httptools'."""

    def __init__(self, answer: Answering, everybody: set[_Connection]) -> None:
        self._answer = answer
        self._everybody = everybody
        self._request = Request()
        self._body: list[bytes] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._transport: asyncio.Transport | None = None
        self._ended = asyncio.Event()
        self._parser: Any = httptools.HttpRequestParser(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._everybody.add(self)

    def connection_lost(self, _: Exception | None) -> None:
        self._everybody.discard(self)
        self._ended.set()

    async def end(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        if self._transport is not None:
            self._transport.abort()
            await self._ended.wait()

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self._request.path = url.decode()

    def on_header(self, name: bytes, value: bytes) -> None:
        self._request.headers[name.decode().lower()] = value.decode()

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        request, self._request = self._request, Request()
        request.method = self._parser.get_method().decode()
        request.body, self._body = b"".join(self._body), []
        task = asyncio.get_running_loop().create_task(self._reply(request))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _reply(self, request: Request) -> None:
        reply = await self._answer(request)
        assert self._transport is not None
        if reply.silent:
            return
        if reply.hang_up:
            self._transport.abort()
            return
        headers = {"content-type": "application/json", **reply.headers, "content-length": len(reply.body)}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self._transport.write(f"HTTP/1.1 {reply.status} .\r\n{lines}\r\n".encode() + reply.body)
