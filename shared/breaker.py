"""Remembers that a dependency is away, so that not everybody waits to find it out again."""

from __future__ import annotations

import asyncio
import time
from contextlib import AbstractAsyncContextManager
from types import TracebackType

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

    def attempt(self, *, anyway: bool = False, extra_s: float = 0.0) -> AbstractAsyncContextManager[None]:
        """The body is tried. Raises DependencyDown when it does, when it takes too long, at once while away.

        `anyway` is for whoever's business it is to find out that the dependency is back; `extra_s` is time on
        top, for what is known to take longer.
        """
        return _Attempt(self, self._within_s + extra_s, anyway=anyway)

    def hold(self, limit_s: float, *, anyway: bool) -> None:
        """An attempt begins. Raises DependencyDown when it may not."""
        if self._next_probe_s is None:
            return
        now_s = time.monotonic()
        if now_s < self._next_probe_s and not anyway:
            raise DependencyDown(self.dependency, "away a moment ago")
        # Whoever comes now probes; until it has ended, the others go on as if it were away.
        self._next_probe_s = now_s + limit_s + self._probe_every_s

    def failed(self) -> None:
        """An attempt ended so."""
        if self._next_probe_s is None:
            _log.warning("dependency_away", dependency=self.dependency)
        self._next_probe_s = time.monotonic() + self._probe_every_s

    def succeeded(self) -> None:
        """An attempt ended so."""
        if self._next_probe_s is not None:
            _log.info("dependency_back", dependency=self.dependency)
        self._next_probe_s = None


class _Attempt(AbstractAsyncContextManager[None]):
    """One attempt. A class, since a generator in its place takes twice as long, and each request has one."""

    __slots__ = ("_anyway", "_breaker", "_limit_s", "_timeout")

    def __init__(self, breaker: Breaker, limit_s: float, *, anyway: bool) -> None:
        self._breaker = breaker
        self._limit_s = limit_s
        self._anyway = anyway
        self._timeout = asyncio.timeout(limit_s)

    async def __aenter__(self) -> None:
        self._breaker.hold(self._limit_s, anyway=self._anyway)
        await self._timeout.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._timeout.__aexit__(kind, error, trace)
        except TimeoutError:
            kind = TimeoutError
        if kind is None:
            self._breaker.succeeded()
        elif issubclass(kind, TimeoutError):
            self._breaker.failed()
            detail = f"no answer within {self._limit_s:g} s"
            raise DependencyDown(self._breaker.dependency, detail) from None
        elif issubclass(kind, DependencyDown):
            self._breaker.failed()
