"""A component that is started beside the others: the doors open without it."""

from __future__ import annotations

import asyncio
import contextlib

import structlog
from tenacity import AsyncRetrying, retry_if_exception_type, wait_random_exponential

from shared.component import Component
from shared.errors import DependencyDown

_LONGEST_PAUSE_S = 2.0
_log = structlog.get_logger()


class InBackground:
    """A Component around another one, whose start is tried for ever while the service is already at work."""

    def __init__(self, component: Component) -> None:
        self.name = component.name
        self._component = component
        self._starting: asyncio.Task[None] | None = None
        self._awaited = "starting"

    async def start(self) -> None:
        self._starting = asyncio.create_task(self._start(), name=f"start {self.name}")

    async def stop(self) -> None:
        if self._starting is not None:
            self._starting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._starting
        await self._component.stop()

    def problem(self) -> str | None:
        if self._starting is None or not self._starting.done():
            return self._awaited
        return self._component.problem()

    async def _start(self) -> None:
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(DependencyDown),
            wait=wait_random_exponential(multiplier=0.2, max=_LONGEST_PAUSE_S),
        )
        async for attempt in retrying:
            with attempt:
                try:
                    await self._component.start()
                except DependencyDown as error:
                    self._awaited = str(error)
                    raise
        _log.info("dependency_started", component=self.name)
