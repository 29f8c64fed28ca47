"""Replicas follow *state* (directory, API keys) by change stream, and hold it in memory.

A snapshot is loaded whole, then reloaded whole after each change: these collections are small, and a
snapshot put together from pieces would have states that never existed. The stream resumes after a hiccup;
where it cannot (the oplog has moved on) it starts anew, and the reload that follows makes the loss harmless.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import structlog
from pymongo.errors import OperationFailure, PyMongoError

from shared.errors import DependencyDown
from shared.store.connection import Collection, guard

Snapshot = TypeVar("Snapshot")
_RETRY_S = 0.5
_log = structlog.get_logger()


class Follower(Generic[Snapshot]):
    """Keeps `snapshot` current with a collection, well within 2 s of a change. A Component.

    While MongoDB is away the last snapshot stays in force: better yesterday's directory than no service.
    """

    def __init__(self, name: str, collection: Collection, load: Callable[[], Awaitable[Snapshot]]) -> None:
        self.name = name
        self._collection = collection
        self._load = load
        self._snapshot: Snapshot | None = None
        self._task: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()

    @property
    def snapshot(self) -> Snapshot:
        """The newest state; raises DependencyDown before the first load."""
        if self._snapshot is None:
            raise DependencyDown("mongodb", f"{self.name} is not loaded yet")
        return self._snapshot

    async def start(self) -> None:
        self._snapshot = await self._load()
        self._task = asyncio.create_task(self._follow(), name=f"follow {self.name}")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    def problem(self) -> str | None:
        return (
            None if self._task is not None and not self._task.done() else f"{self.name} is no longer followed"
        )

    async def changed(self) -> None:
        """Return after the next reload."""
        self._changed.clear()
        await self._changed.wait()

    async def _follow(self) -> None:
        resume_token = None
        while True:
            try:
                with guard():
                    async with self._collection.watch(
                        resume_after=resume_token, max_await_time_ms=1000
                    ) as stream:
                        # What changed between the last load and the opening of the stream is caught here.
                        await self._reload()
                        while stream.alive:
                            change = await stream.try_next()
                            resume_token = stream.resume_token
                            if change is not None:
                                await self._reload()
            except DependencyDown as error:
                _log.warning("follow_interrupted", state=self.name, dependency=error.dependency)
            except OperationFailure as error:
                _log.warning("follow_restarted", state=self.name, code=error.code)
                resume_token = None
            except PyMongoError as error:
                _log.warning("follow_restarted", state=self.name, error=type(error).__name__)
            await asyncio.sleep(_RETRY_S)

    async def _reload(self) -> None:
        self._snapshot = await self._load()
        self._changed.set()
