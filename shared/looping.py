"""A Component whose work is one task that goes on for ever."""

from __future__ import annotations

import asyncio
import contextlib
from abc import ABC, abstractmethod


class Looping(ABC):
    """`start` begins `run`, `stop` cancels it. That it has ended is a problem: it never should."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._task: asyncio.Task[None] | None = None

    @abstractmethod
    async def run(self) -> None:
        """For ever; it sits out what is away."""

    async def start(self) -> None:
        self._task = asyncio.create_task(self.run(), name=self.name)

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    def problem(self) -> str | None:
        works = self._task is not None and not self._task.done()
        return None if works else f"{self.name}: it does not run any more"
