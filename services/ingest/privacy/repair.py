"""Looks now and then whether a restored backup has brought back somebody who is forgotten."""

from __future__ import annotations

import asyncio

import structlog

from services.ingest.privacy.requests import Privacy
from shared import ids
from shared.errors import DependencyDown, ListeningPostError
from shared.looping import Looping
from shared.store.connection import PyMongoError, Store
from shared.store.leases import LeaseStore

_EVERY_S = 600.0
_AGAIN_S = 5.0
_LEASE_S = 300.0
_log = structlog.get_logger()


class Repair(Looping):
    """A Component. The first look is at the start, since after a restored backup services are started."""

    def __init__(self, privacy: Privacy, store: Store) -> None:
        super().__init__("repair of the ledger")
        self._privacy = privacy
        self._leases = LeaseStore(store)
        self._holder = ids.fresh_id()

    async def run(self) -> None:
        while True:
            pause_s = _EVERY_S
            try:
                if await self._leases.acquire("repair the ledger", self._holder, lease_s=_LEASE_S):
                    await self._privacy.repair()
            except (DependencyDown, PyMongoError) as error:
                pause_s = _AGAIN_S
                _log.debug("repair_waits", error=type(error).__name__)
            except ListeningPostError as error:
                _log.warning("repair_failed", error=str(error))
            await asyncio.sleep(pause_s)
