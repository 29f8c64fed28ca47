"""Who is silent for longer than they are used to: told in the metrics, the log and `/internal/doors`.

It is no fault of ingest, so it never makes it unready.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

import structlog

from shared import ids
from shared.domain.silence import learn, limit_s
from shared.errors import DependencyDown
from shared.looping import Looping
from shared.store.arrivals import ArrivalStore, Source
from shared.store.connection import Store
from shared.store.leases import LeaseStore
from shared.telemetry.metrics import SOURCE_SILENCE_LIMIT_SECONDS, SOURCE_SILENT_SECONDS

_EVERY_S = 15.0
_LEASE = "learn silence"
_log = structlog.get_logger()


class Silences(Looping):
    """A Component. Every replica notes what it hears; one at a time learns from what all of them heard."""

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        super().__init__("silence")
        self._arrivals = ArrivalStore(store)
        self._leases = LeaseStore(store)
        self._now = now
        self._holder = ids.fresh_id()
        self._heard: dict[tuple[str, str], datetime] = {}
        self._sources: list[Source] = []
        self._silent: set[tuple[str, str]] = set()

    def problem(self) -> str | None:
        """None, whoever is silent."""
        return None

    def hear(self, channel: str, source: str) -> None:
        """Something came that was kept."""
        self._heard[channel, source] = self._now()

    async def run(self) -> None:
        while True:
            try:
                await self.look()
            except DependencyDown as error:
                _log.debug("silence_unknown", dependency=error.dependency)
            await asyncio.sleep(_EVERY_S)

    async def stop(self) -> None:
        await super().stop()
        try:
            await self._flush()
        except DependencyDown as error:
            _log.debug("silence_unknown", dependency=error.dependency)

    async def look(self) -> None:
        """What was heard is written down and learned from; metrics are of now. Raises DependencyDown."""
        await self._flush()
        if await self._leases.acquire(_LEASE, self._holder, lease_s=4 * _EVERY_S):
            for source in await self._arrivals.sources():
                if source.heard_at > source.habit.heard_at:
                    await self._arrivals.learned(source, learn(source.habit, source.heard_at))
        self._sources = await self._arrivals.sources()
        self._tell()

    async def _flush(self) -> None:
        heard, self._heard = self._heard, {}
        try:
            await self._arrivals.heard(heard)
        except DependencyDown:
            self._heard = {**heard, **self._heard}
            raise

    def report(self) -> list[dict[str, object]]:
        """Of each source: how long it is silent, how long it may be (null while that is learned)."""
        now = self._now()
        return [
            {
                "channel": source.channel,
                "source": source.name,
                "last_heard_at": source.heard_at.isoformat(),
                "silent_s": (now - source.heard_at).total_seconds(),
                "limit_s": limit_s(source.habit),
                "is_silent": _is_silent(source, now),
            }
            for source in self._sources
        ]

    def _tell(self) -> None:
        SOURCE_SILENT_SECONDS.clear()
        SOURCE_SILENCE_LIMIT_SECONDS.clear()
        now = self._now()
        silent = {(source.channel, source.name) for source in self._sources if _is_silent(source, now)}
        for source in self._sources:
            limit = limit_s(source.habit)
            if limit is not None:
                names = (source.channel, source.name)
                SOURCE_SILENT_SECONDS.labels(*names).set((now - source.heard_at).total_seconds())
                SOURCE_SILENCE_LIMIT_SECONDS.labels(*names).set(limit)
        for channel, name in silent - self._silent:
            _log.warning("source_silent", channel=channel, source=name)
        for channel, name in self._silent - silent:
            _log.info("source_heard_again", channel=channel, source=name)
        self._silent = silent


def _is_silent(source: Source, now: datetime) -> bool:
    limit = limit_s(source.habit)
    return limit is not None and (now - source.heard_at).total_seconds() > limit
