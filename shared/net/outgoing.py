"""HTTP to URLs that somebody typed in, without becoming their way into our own network (SSRF).

The host is resolved here, each address is judged, and the connection goes to an address that passed: a second
answer of the resolver cannot lead it elsewhere, while `Host` and the TLS server name stay the URL's.
Redirects are not followed, and of the answer only the beginning is read.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpcore

from shared.errors import PermanentError, Reason, TransientError, UnknownOutcome
from shared.net.addresses import Network, is_allowed

_MOST_ANSWER_BYTES = 65_536
_ANSWER_WITHIN_S = 2.0
#: Below the 5 s after which common servers close an idle connection: a request must not cross with that.
_KEEP_ALIVE_S = 2.0
_BROKEN = (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, TimeoutError, OSError)
_HANDED_OVER = "http11.send_request_body.complete"


@dataclass(frozen=True, slots=True)
class Answer:
    """`headers` in lower case; `body` is at most 64 KiB of it."""

    status: int
    headers: Mapping[str, str]
    body: bytes


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


class OutgoingHttp:
    """A pool of guarded connections. Not tied to a loop until it is used."""

    def __init__(
        self, allowed: Sequence[Network] = (), *, timeout_s: float = 15.0, connections: int = 32
    ) -> None:
        self._timeout_s = timeout_s
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=ssl.create_default_context(),
            max_connections=connections,
            max_keepalive_connections=connections,
            keepalive_expiry=_KEEP_ALIVE_S,
            network_backend=GuardedBackend(allowed),
        )

    async def close(self) -> None:
        await self._pool.aclose()

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """The answer, whatever its status.

        Raises PermanentError for a URL that must not or cannot be asked, TransientError when the request was
        not handed over whole, UnknownOutcome when it was and no answer came.
        """
        if not url.lower().startswith(("http://", "https://")):
            raise PermanentError(Reason.FORBIDDEN, "only http and https are spoken")
        handed_over = False

        async def watch(event: str, _: object) -> None:
            nonlocal handed_over
            handed_over = handed_over or event == _HANDED_OVER

        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._ask(url, headers, body, {"trace": watch})
        except (httpcore.UnsupportedProtocol, httpcore.LocalProtocolError, ValueError):
            raise PermanentError(Reason.MALFORMED, "not a URL that can be asked") from None
        except _BROKEN as error:
            failure = type(error).__name__
            if handed_over:
                raise UnknownOutcome(f"no answer after the request was handed over ({failure})") from None
            raise TransientError(Reason.UNREACHABLE, f"the request was not handed over ({failure})") from None

    async def _ask(
        self, url: str, headers: Mapping[str, str], body: bytes, extensions: dict[str, Any]
    ) -> Answer:
        async with self._pool.stream(
            "POST", url, headers=list(headers.items()), content=body, extensions=extensions
        ) as response:
            body_start = await _beginning(response)
            named = {
                name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers
            }
            return Answer(response.status, named, body_start)


async def _beginning(response: httpcore.Response) -> bytes:
    """What there is to read, within bounds: the status has been told, so nothing depends on it any more."""
    start = b""
    with contextlib.suppress(*_BROKEN):
        async with asyncio.timeout(_ANSWER_WITHIN_S):
            async for chunk in response.aiter_stream():
                start += chunk
                if len(start) >= _MOST_ANSWER_BYTES:
                    break
    return start[:_MOST_ANSWER_BYTES]
