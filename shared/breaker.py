"""Remembers that a dependency is away, so that not everybody waits to find it out again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from shared.errors import DependencyDown

_log = structlog.get_logger()


class Breaker:
    """Bounds each attempt to `within_s`. After a failure one attempt every `probe_every_s` is let through."""

    def __init__(self, dependency: str, *, within_s: float, probe_every_s: float = 5.0) -> None:
        self.dependency = dependency
        self._within_s = within_s
        self._probe_every_s = probe_every_s
        self._next_probe_s: float | None = None

    @property
    def away(self) -> bool:
        return self._next_probe_s is not None

    @asynccontextmanager
    async def attempt(self, *, anyway: bool = False, extra_s: float = 0.0) -> AsyncIterator[None]:
        """The body is tried. Raises DependencyDown when it does, when it takes too long, at once while away.

        `anyway` is for whoever's business it is to find out that the dependency is back; `extra_s` is time on
        top, for what is known to take longer.
        """
        limit_s = self._within_s + extra_s
        self._hold(limit_s, anyway=anyway)
        try:
            async with asyncio.timeout(limit_s):
                yield
        except TimeoutError:
            self._failed()
            detail = f"no answer within {limit_s:g} s"
            raise DependencyDown(self.dependency, detail) from None
        except DependencyDown:
            self._failed()
            raise
        self._succeeded()

    def _hold(self, limit_s: float, *, anyway: bool) -> None:
        if self._next_probe_s is None:
            return
        now_s = time.monotonic()
        if now_s < self._next_probe_s and not anyway:
            raise DependencyDown(self.dependency, "away a moment ago")
        # Whoever comes now probes; until it has ended, the others go on as if it were away.
        self._next_probe_s = now_s + limit_s + self._probe_every_s

    def _failed(self) -> None:
        if self._next_probe_s is None:
            _log.warning("dependency_away", dependency=self.dependency)
        self._next_probe_s = time.monotonic() + self._probe_every_s

    def _succeeded(self) -> None:
        if self._next_probe_s is not None:
            _log.info("dependency_back", dependency=self.dependency)
        self._next_probe_s = None
