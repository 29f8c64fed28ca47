"""HTTP to URLs that somebody typed in, without becoming their way into our own network (SSRF).

Connections are guarded (see `guarded.py`), redirects are not followed, of an answer only the start is read.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpcore

from shared.errors import PermanentError, Reason, TransientError, UnknownOutcome
from shared.net.addresses import Network
from shared.net.guarded import GuardedConnections

_MOST_ANSWER_BYTES = 65_536
_ANSWER_WITHIN_S = 2.0
_BROKEN = (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, TimeoutError, OSError)
_HANDED_OVER = "http11.send_request_body.complete"


@dataclass(frozen=True, slots=True)
class Answer:
    """`headers` in lower case; `body` is at most 64 KiB of it."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class OutgoingHttp:
    """A pool of guarded connections. Not tied to a loop until it is used."""

    def __init__(
        self, allowed: Sequence[Network] = (), *, timeout_s: float = 15.0, connections: int = 32
    ) -> None:
        self._timeout_s = timeout_s
        self._connections = GuardedConnections(allowed, connections)

    async def close(self) -> None:
        await self._connections.close()

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
        where = httpcore.URL(url)
        async with (
            self._connections.to(where.origin) as connection,
            connection.stream(
                "POST", where, headers=list(headers.items()), content=body, extensions=extensions
            ) as response,
        ):
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
