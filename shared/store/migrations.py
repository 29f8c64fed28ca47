"""Brings a database to what this release needs: collections, validators, indexes, then numbered migrations.

Everything only adds (a removal waits one release), runs under a lease, and may run again. Any service may
start first, so each of them calls `migrate`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from pymongo.errors import CollectionInvalid, OperationFailure

from shared import clock, ids
from shared.store.connection import Database, Document, Store, guard
from shared.store.leases import LeaseStore
from shared.store.owners import COLLECTIONS, MIGRATIONS, CollectionSpec, Index

_LEASE = "migrations"
_LEASE_S = 60.0
_LEASE_POLL_S = 0.1
_NAMESPACE_EXISTS = 48
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Migration:
    """A change of existing documents. `number` is never used twice; `run` may be run again."""

    number: int
    title: str
    run: Callable[[Database], Awaitable[None]]


MIGRATION_STEPS: tuple[Migration, ...] = ()


class Migrator:
    """A Component: starts once the database is as this release needs it."""

    name = "migrations"

    def __init__(self, store: Store, steps: tuple[Migration, ...] = MIGRATION_STEPS) -> None:
        self._store = store
        self._steps = steps

    async def start(self) -> None:
        """Raises DependencyDown while the store is away."""
        holder = ids.fresh_id()
        leases = LeaseStore(self._store)
        # Who holds the lease is seen in the database alone, so there is nothing else to wait on.
        while not await leases.acquire(_LEASE, holder, lease_s=_LEASE_S):  # noqa: ASYNC110 - see above
            await asyncio.sleep(_LEASE_POLL_S)
        try:
            with guard():
                await self._migrate()
        finally:
            await leases.release(_LEASE, holder)

    async def stop(self) -> None:
        """Nothing to stop."""

    def problem(self) -> str | None:
        return None

    async def _migrate(self) -> None:
        existing = set(await self._store.db.list_collection_names())
        for spec in COLLECTIONS:
            await _ensure(self._store.db, spec, exists=spec.name in existing)
        done = self._store.collection(MIGRATIONS.name)
        applied = {document["_id"] async for document in done.find({}, {"_id": 1})}
        for step in self._steps:
            if step.number in applied:
                continue
            await step.run(self._store.db)
            await done.replace_one(
                {"_id": step.number}, {"title": step.title, "applied_at": clock.now()}, upsert=True
            )
            _log.info("migration_applied", number=step.number)


async def missing(store: Store) -> list[str]:
    """Collections and indexes this release needs and the database does not have. Raises DependencyDown."""
    found = []
    with guard():
        existing = set(await store.db.list_collection_names())
        for spec in COLLECTIONS:
            if spec.name not in existing:
                found.append(spec.name)
                continue
            indexes = await store.collection(spec.name).index_information()
            found += [f"{spec.name}.{index.name}" for index in spec.indexes if index.name not in indexes]
    return found


async def _ensure(db: Database, spec: CollectionSpec, *, exists: bool) -> None:
    if not exists:
        try:
            await db.create_collection(spec.name)
        except CollectionInvalid:
            _log.debug("collection_exists", collection=spec.name)
        except OperationFailure as error:
            if error.code != _NAMESPACE_EXISTS:
                raise
    if spec.required:
        await db.command("collMod", spec.name, validator=validator(spec), validationLevel="moderate")
    for index in spec.indexes:
        await db[spec.name].create_index(list(index.keys), **_options(index))


def validator(spec: CollectionSpec) -> Document:
    """Presence and type of the required fields: catches a wrong writer, never bars a new field."""
    types = {
        field: {"bsonType": list(kind) if isinstance(kind, tuple) else kind} for field, kind in spec.required
    }
    return {"$jsonSchema": {"bsonType": "object", "required": sorted(types), "properties": types}}


def _options(index: Index) -> Document:
    options: Document = {"name": index.name}
    if index.unique:
        options["unique"] = True
    if index.expire_after_s is not None:
        options["expireAfterSeconds"] = index.expire_after_s
    if index.where:
        options["partialFilterExpression"] = dict(index.where)
    return options
