"""How full the disk of the database is, for the metrics."""

from __future__ import annotations

import asyncio

import structlog

from shared.errors import DependencyDown
from shared.looping import Looping
from shared.store.connection import Store, guard
from shared.telemetry.metrics import DISK_USED

_EVERY_S = 60.0
_log = structlog.get_logger()


class StoreDisk(Looping):
    """A Component. One service has it: the disk is the same for all of them."""

    def __init__(self, store: Store) -> None:
        super().__init__("disk of mongodb")
        self._store = store

    def problem(self) -> str | None:
        """None: who cannot measure does its own work all the same."""
        return None

    async def run(self) -> None:
        while True:
            try:
                await self.look()
            except DependencyDown as error:
                _log.debug("disk_unknown", dependency=error.dependency)
            await asyncio.sleep(_EVERY_S)

    async def look(self) -> None:
        """The metric is of this moment. Raises DependencyDown."""
        with guard():
            stats = await self._store.db.command("dbStats")
        if stats.get("fsTotalSize"):
            DISK_USED.labels("mongodb").set(stats["fsUsedSize"] / stats["fsTotalSize"])
