"""Replicas follow *state* (directory, API keys), in memory: twice a second they ask whether it has changed.

A change stream looks at every document that is written anywhere, for each of its readers: 5 µs of the
database's time for each of both, measured. A question twice a second costs the same however much is written.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import structlog
from pymongo.errors import PyMongoError

from shared.errors import DependencyDown
from shared.looping import Looping
from shared.store.connection import guard

Snapshot = TypeVar("Snapshot")
_EVERY_S = 0.5
_log = structlog.get_logger()


class Follower(Looping, Generic[Snapshot]):
    """Keeps `snapshot` as the store has it, well within 2 s of a change. A Component.

    `mark` reads something small that differs after every change; without one `load` is asked each time, which
    is right for what is small. A snapshot is loaded whole: one put together from changes would have states
    that never existed. While MongoDB is away the last one stays in force: better yesterday's directory than
    no service.
    """

    def __init__(
        self,
        name: str,
        load: Callable[[], Awaitable[Snapshot]],
        mark: Callable[[], Awaitable[object]] | None = None,
    ) -> None:
        super().__init__(name)
        self._load = load
        self._read_mark = mark
        self._mark: object = None
        self._snapshot: Snapshot | None = None
        self._changed = asyncio.Event()
        self._looking = asyncio.Lock()

    @property
    def snapshot(self) -> Snapshot:
        """The newest state; raises DependencyDown before the first load."""
        if self._snapshot is None:
            raise DependencyDown("mongodb", f"{self.name} is not loaded yet")
        return self._snapshot

    async def start(self) -> None:
        with guard():
            await self._look()
        await super().start()

    async def changed(self) -> None:
        """Return after the next change."""
        self._changed.clear()
        await self._changed.wait()

    async def run(self) -> None:
        away = False
        while True:
            await asyncio.sleep(_EVERY_S)
            try:
                with guard():
                    await self._look()
            except (DependencyDown, PyMongoError) as error:
                if not away:
                    _log.warning("follow_interrupted", state=self.name, error=type(error).__name__)
                away = True
            else:
                away = False

    async def _look(self) -> None:
        # One at a time: of two, the slower would put back what it had read before the other.
        async with self._looking:
            # The mark first: what changes after it was read is in the snapshot too, or seen the next time.
            mark = await self._read_mark() if self._read_mark is not None else None
            if mark is not None and mark == self._mark:
                return
            snapshot = await self._load()
            self._mark = mark
            if mark is not None or snapshot != self._snapshot:
                self._snapshot = snapshot
                self._changed.set()
