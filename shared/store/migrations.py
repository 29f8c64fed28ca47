"""Brings a database to what this release needs: what it declares, then numbered migrations of documents.

Any service may start first, so each of them calls this. One does it, under a lease that it renews while it is
at work; the others wait, and say so. Whoever is killed half way loses the lease soon after, and another goes
on from the migration that was under way. What the next release has made stays as it is (`schema.py`).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

import structlog

from shared import ids
from shared.errors import ConfigurationError, DependencyDown
from shared.store.connection import Database, Session, Store, guard
from shared.store.declared import Condition, Part, declared, ensure
from shared.store.fence import FenceStore
from shared.store.leases import LeaseStore
from shared.store.owners import COLLECTIONS
from shared.store.schema import REMEDY, SCHEMA, SchemaStore, Standing

LEASE = "migrations"
#: So long after a kill another goes on.
LEASE_S = 15.0
_ASK_EVERY_S = 0.25
_SAY_EVERY_S = 10.0
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Migration:
    """A change of existing documents. `number` is never used twice.

    What `run` has to be:
    - It may be repeated, from any point: it is begun again after a kill, and what it did before stays done.
      So it asks for the documents that are not as wanted yet, and changes each in one write.
    - For a moment it may run twice: a process that was suspended learns of the other when it wakes up.
    - It only adds. The release before is at work beside it, and may have to come back: what that one reads
      goes one release later.
    - It works in portions that each take a few seconds at most: after 20 s the connection takes MongoDB for
      gone. It awaits between them, or its lease is not renewed.
    """

    number: int
    title: str
    run: Callable[[Database], Awaitable[None]]


MIGRATION_STEPS: tuple[Migration, ...] = ()


class Migrator:
    """A Component: starts once the database is as this release needs it. `progress` hears what is at hand."""

    name = "migrations"

    def __init__(
        self,
        store: Store,
        steps: tuple[Migration, ...] = MIGRATION_STEPS,
        progress: Callable[[str], None] = lambda _: None,
        *,
        lease_s: float = LEASE_S,
    ) -> None:
        self._store = store
        self._leases = LeaseStore(store)
        self._schema = SchemaStore(store)
        self._steps = steps
        self._progress = progress
        self._lease_s = lease_s
        # For whoever reads the log; in a container the host is its id.
        self._holder = f"{socket.gethostname()} {os.getpid()} {ids.fresh_id()}"

    async def start(self) -> None:
        """Raises DependencyDown while the store is away or half restored, and when the lease was lost.

        Raises ConfigurationError for a database that a release after the next one has made.
        """
        if not (await FenceStore(self._store).get()).is_whole:
            # Half of it would be worked on as if it were all; notices of it would be sent.
            raise DependencyDown("mongodb", "a backup is being restored; what broke off is to be run again")
        await self._turn()
        try:
            async with self._leases.kept(LEASE, self._holder, lease_s=self._lease_s):
                with guard():
                    await self._migrate()
        finally:
            # Where that cannot be said, it runs out.
            with contextlib.suppress(DependencyDown):
                await self._leases.release(LEASE, self._holder)

    async def stop(self) -> None:
        """Nothing to stop."""

    def problem(self) -> str | None:
        return None

    async def _turn(self) -> None:
        """Returns when the lease is ours."""
        loop = asyncio.get_running_loop()
        began_at = said_at = loop.time()
        # Who holds the lease is seen in the database alone, so there is nothing else to wait on.
        while not await self._leases.acquire(LEASE, self._holder, lease_s=self._lease_s):
            if said_at == began_at or loop.time() - said_at >= _SAY_EVERY_S:
                said_at = loop.time()
                waited_s = round(said_at - began_at, 1)
                _log.info("migrations_awaited", holder=await self._leases.holder(LEASE), waited_s=waited_s)
            await asyncio.sleep(_ASK_EVERY_S)

    async def _migrate(self) -> None:
        found = await self._schema.found()
        if found.standing is Standing.UNKNOWN:
            msg = f"the database is of schema {found}, and this release knows up to {SCHEMA + 1}; {REMEDY}"
            raise ConfigurationError(msg)
        if found.standing is Standing.NEWER:
            _log.warning("schema_of_a_newer_release", schema=found.number, release=found.release)
            return
        existing = set(await self._store.db.list_collection_names())
        if found.standing is Standing.OLDER:
            # Before anything else: from now on an older release leaves alone what it finds.
            await ensure(self._store.db, self._schema.spec, exists=self._schema.spec.name in existing)
            await self._under_lease(self._schema.take)
        for spec in COLLECTIONS:
            self._progress(spec.name)
            await ensure(self._store.db, spec, exists=spec.name in existing)
        applied = await self._schema.applied()
        for step in self._steps:
            if step.number in applied:
                continue
            self._progress(f"migration {step.number}")
            _log.info("migration_started", number=step.number)
            await step.run(self._store.db)
            await self._applied(step)
            _log.info("migration_applied", number=step.number)

    async def _applied(self, step: Migration) -> None:
        """It is written down, unless the lease is another's by now: then that one does it, and writes."""

        async def write(session: Session) -> None:
            await self._schema.write_down(step.number, step.title, self._holder, session)

        await self._under_lease(write)

    async def _under_lease(self, write: Callable[[Session], Awaitable[object]]) -> None:
        await self._leases.under(LEASE, self._holder, write, lease_s=self._lease_s)


async def examine(store: Store, steps: Sequence[Migration] = MIGRATION_STEPS) -> list[Part]:
    """Everything this release needs, and whether it is there. Changes nothing. Raises DependencyDown.

    In a database that the next release has made nothing is different from what it should be.
    """
    found, schema = await declared(store), SchemaStore(store)
    if (await schema.found()).standing is Standing.NEWER:
        found = [replace(part, condition=Condition.THERE) for part in found]
    done = await schema.applied()
    for step in steps:
        applied_at = done.get(step.number)
        condition = Condition.THERE if step.number in done else Condition.MISSING
        found.append(Part("migration", f"{step.number} {step.title}", condition, applied_at))
    return found
