"""Does it answer yet? Each question is asked once and answered with yes or no; who asks decides how often."""

from __future__ import annotations

import asyncio
import struct
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from deploy.embedded.ports import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_ANSWER_WITHIN_S = 2.0
_HTTP_OK = 200
# The ApiVersions request, version 0, which every broker must answer before anything else:
# length, key 18, version 0, correlation id, no client id (KIP-35).
_CORRELATION_ID = 7
_API_VERSIONS = struct.pack(">ihhih", 10, 18, 0, _CORRELATION_ID, -1)
_ANSWER_HEAD = struct.Struct(">iih")


async def listens(port: int) -> bool:
    try:
        async with _connection(port):
            return True
    except (OSError, TimeoutError):
        return False


async def answers_kafka(port: int) -> bool:
    """Whether a Kafka broker answers ApiVersions without an error."""
    try:
        async with _connection(port) as (reader, writer):
            writer.write(_API_VERSIONS)
            head = await reader.readexactly(_ANSWER_HEAD.size)
    except (OSError, TimeoutError, asyncio.IncompleteReadError):
        return False
    _, correlation_id, error_code = _ANSWER_HEAD.unpack(head)
    return (correlation_id, error_code) == (_CORRELATION_ID, 0)


async def is_ready(port: int, path: str = "/readyz") -> bool:
    """Whether `GET path` is answered with 200."""
    request = f"GET {path} HTTP/1.1\r\nHost: {LOOPBACK}:{port}\r\nConnection: close\r\n\r\n"
    try:
        async with _connection(port) as (reader, writer):
            writer.write(request.encode("ascii"))
            status = (await reader.readline()).split()
    except (OSError, TimeoutError):
        return False
    return status[1:2] == [str(_HTTP_OK).encode("ascii")]


@asynccontextmanager
async def _connection(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    async with asyncio.timeout(_ANSWER_WITHIN_S):
        reader, writer = await asyncio.open_connection(LOOPBACK, port)
        try:
            yield reader, writer
        finally:
            writer.close()
