"""Connections that lead to allowed addresses only, kept open for a moment.

The host is resolved here, each address is judged, and the connection goes to an address that passed: a second
answer of the resolver cannot lead it elsewhere, while `Host` and the TLS server name stay the URL's.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpcore

from shared.errors import PermanentError, Reason, TransientError
from shared.net.addresses import Network, is_allowed

#: Below the 5 s after which common servers close an idle connection: a request must not cross with that.
_KEEP_ALIVE_S = 2.0


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Connects to addresses that are allowed, and to no others."""

    def __init__(self, allowed: Sequence[Network] = ()) -> None:
        self._allowed = tuple(allowed)
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the interface's
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Raises PermanentError when no address of the host is allowed."""
        resolved = await _resolve(host, port)
        addresses = [address for address in resolved if is_allowed(address, self._allowed)]
        if not addresses:
            raise PermanentError(Reason.FORBIDDEN, "the host has no address that is public or allowed")
        for address in addresses[:-1]:
            try:
                return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await self._inner.connect_tcp(addresses[-1], port, timeout, local_address, socket_options)

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)


async def _resolve(host: str, port: int) -> list[str]:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError):
        raise TransientError(Reason.UNREACHABLE, "the host name does not resolve") from None
    return list(dict.fromkeys(str(address[4][0]) for address in found))


class GuardedConnections:
    """At most `most` at a time; idle ones are taken newest first.

    A pool of our own around httpcore's connections: its own asks every connection it has whether it is still
    alive, for each request, which with 48 of them took two thirds of the processor time of a delivery.
    """

    def __init__(self, allowed: Sequence[Network], most: int) -> None:
        self._backend = GuardedBackend(allowed)
        self._tls = ssl.create_default_context()
        self._room = asyncio.Semaphore(most)
        # By the text of the origin: httpcore's own class cannot be a key.
        self._idle: dict[str, list[httpcore.AsyncHTTPConnection]] = defaultdict(list)
        self._tidied_at = 0.0

    @asynccontextmanager
    async def to(self, origin: httpcore.Origin) -> AsyncIterator[httpcore.AsyncHTTPConnection]:
        """A connection for one request and its answer."""
        async with self._room:
            connection = await self._take(origin)
            try:
                yield connection
            finally:
                if connection.is_idle() and not connection.is_closed():
                    self._idle[str(origin)].append(connection)
                else:
                    await connection.aclose()
            await self._tidy()

    async def close(self) -> None:
        idle, self._idle = self._idle, defaultdict(list)
        for connections in idle.values():
            for connection in connections:
                await connection.aclose()

    async def _take(self, origin: httpcore.Origin) -> httpcore.AsyncHTTPConnection:
        idle = self._idle[str(origin)]
        while idle:
            connection = idle.pop()
            if not connection.has_expired():
                return connection
            await connection.aclose()
        return httpcore.AsyncHTTPConnection(
            origin, ssl_context=self._tls, keepalive_expiry=_KEEP_ALIVE_S, network_backend=self._backend
        )

    async def _tidy(self) -> None:
        """Close what nobody asked for in time."""
        now = time.monotonic()
        if now - self._tidied_at < _KEEP_ALIVE_S:
            return
        self._tidied_at = now
        for origin, connections in list(self._idle.items()):
            expired = [connection for connection in connections if connection.has_expired()]
            self._idle[origin] = [connection for connection in connections if connection not in expired]
            if not self._idle[origin]:
                del self._idle[origin]
            for connection in expired:
                await connection.aclose()


def _key(origin: httpcore.Origin) -> bytes:
    return b"%b://%b:%d" % (origin.scheme, origin.host, origin.port)
