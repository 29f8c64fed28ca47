"""Many waiting writers, one fsync: what arrives while the disk works goes together into the next write."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog

from shared.errors import DependencyDown

_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_log = structlog.get_logger()


class SpoolFull(DependencyDown):
    """Nothing more fits: the sender is asked to come again."""

    def __init__(self, detail: str) -> None:
        super().__init__("spool", detail)


@dataclass(slots=True)
class _Waiting:
    payloads: Sequence[bytes]
    done: asyncio.Future[None]


class GroupCommit:
    """`write` gets all that waits at once and returns when it is durable; its OSError is everybody's."""

    def __init__(self, write: Callable[[Sequence[bytes]], Awaitable[None]]) -> None:
        self._write = write
        self._waiting: list[_Waiting] = []
        self._task: asyncio.Task[None] | None = None

    async def append(self, payloads: Sequence[bytes]) -> None:
        """They are durable, in this order. Raises SpoolFull or DependencyDown; then none of them is."""
        waiting = _Waiting(payloads, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._commit(), name="spool commit")
        await waiting.done

    async def settled(self) -> None:
        """Nothing waits any more."""
        if self._task is not None:
            await self._task

    async def _commit(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting, []
            try:
                await self._write([payload for waiting in group for payload in waiting.payloads])
            except OSError as error:
                _log.error("spool_not_written", error=type(error).__name__, errno=error.errno)
                _settle(group, _failure(error))
            else:
                _settle(group, None)


def _failure(error: OSError) -> DependencyDown:
    if error.errno in _NO_SPACE:
        return SpoolFull("no space left on the volume")
    return DependencyDown("spool", type(error).__name__)


def _settle(group: Sequence[_Waiting], failure: DependencyDown | None) -> None:
    for waiting in group:
        if waiting.done.done():
            continue  # whoever waited has gone; the record stays
        if failure is None:
            waiting.done.set_result(None)
        else:
            waiting.done.set_exception(failure)
