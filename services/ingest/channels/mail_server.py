"""The SMTP side of the mail channel: aiosmtpd, with its limits set for real mail and for hostile senders."""

from __future__ import annotations

import asyncio
from typing import Any

from aiosmtpd.smtp import SMTP


class Connection(SMTP):
    """One of at most `max_connections`: each may hold a message of the largest size in memory.

    Lines may be long, because real mail has them. They end with CRLF only, as aiosmtpd has it since 1.4.5:
    anything else lets one message pass for two (CVE-2023-51764).
    """

    #: aiosmtpd's 1001 refuses one real mail in a hundred.
    line_length_limit = 2**20

    def __init__(
        self,
        handler: object,
        *,
        connections: set[asyncio.BaseTransport],
        max_connections: int,
        **options: Any,  # noqa: ANN401 - aiosmtpd's own
    ) -> None:
        super().__init__(handler, **options)
        self._others = connections
        self._max_connections = max_connections
        self._counted: asyncio.BaseTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if len(self._others) >= self._max_connections:
            if isinstance(transport, asyncio.WriteTransport):
                transport.write(b"421 4.7.0 too many connections, please come again\r\n")
            transport.close()
            return
        self._others.add(transport)
        self._counted = transport
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self._counted is None:
            return
        self._others.discard(self._counted)
        super().connection_lost(error)

    def data_received(self, data: bytes) -> None:
        if self._counted is not None:
            super().data_received(data)

    def eof_received(self) -> bool | None:
        return super().eof_received() if self._counted is not None else False
