"""Brings a database to what this release needs: collections, validators, indexes, then numbered migrations.

Everything only adds (a removal waits one release), runs under a lease, and may run again. Any service may
start first, so each of them calls `migrate`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

import structlog
from pymongo.errors import CollectionInvalid, OperationFailure

from shared import clock, ids
from shared.errors import ConfigurationError, DependencyDown
from shared.store.connection import Database, Document, Store, guard
from shared.store.fence import FenceStore
from shared.store.leases import LeaseStore
from shared.store.owners import COLLECTIONS, MIGRATIONS, CollectionSpec, Index

_LEASE = "migrations"
_LEASE_S = 60.0
_LEASE_POLL_S = 0.1
_NAMESPACE_EXISTS = 48
#: IndexOptionsConflict and IndexKeySpecsConflict: the name, or the keys, are taken by another index.
_INDEX_CONFLICTS = frozenset({85, 86})
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Migration:
    """A change of existing documents. `number` is never used twice; `run` may be run again."""

    number: int
    title: str
    run: Callable[[Database], Awaitable[None]]


MIGRATION_STEPS: tuple[Migration, ...] = ()


class Condition(StrEnum):
    """`different`: it is there and not as declared; an index like that has to be dropped by hand first."""

    THERE = "there"
    MISSING = "missing"
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class Part:
    """Something this release needs in the database. `applied_at` is known of migrations only."""

    kind: Literal["collection", "validator", "index", "migration"]
    name: str
    condition: Condition
    applied_at: datetime | None = None


class Migrator:
    """A Component: starts once the database is as this release needs it. `progress` hears what is at hand."""

    name = "migrations"

    def __init__(
        self,
        store: Store,
        steps: tuple[Migration, ...] = MIGRATION_STEPS,
        progress: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._store = store
        self._steps = steps
        self._progress = progress

    async def start(self) -> None:
        """Raises DependencyDown while the store is away, and while a backup is not all restored."""
        if not (await FenceStore(self._store).get()).is_whole:
            # Half of it would be worked on as if it were all; notices of it would be sent.
            raise DependencyDown("mongodb", "a backup is being restored; what broke off is to be run again")
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
            self._progress(spec.name)
            await _ensure(self._store.db, spec, exists=spec.name in existing)
        done = self._store.collection(MIGRATIONS.name)
        applied = {document["_id"] async for document in done.find({}, {"_id": 1})}
        for step in self._steps:
            if step.number in applied:
                continue
            self._progress(f"migration {step.number}")
            await step.run(self._store.db)
            await done.replace_one(
                {"_id": step.number}, {"title": step.title, "applied_at": clock.now()}, upsert=True
            )
            _log.info("migration_applied", number=step.number)


async def missing(store: Store) -> list[str]:
    """Collections and indexes this release needs and the database does not have. Raises DependencyDown."""
    parts = await examine(store, ())
    return [
        part.name
        for part in parts
        if part.kind in {"collection", "index"} and part.condition is Condition.MISSING
    ]


async def examine(store: Store, steps: Sequence[Migration] = MIGRATION_STEPS) -> list[Part]:
    """Everything this release needs, and whether it is there. Changes nothing. Raises DependencyDown."""
    found: list[Part] = []
    with guard():
        existing = {entry["name"]: entry async for entry in await store.db.list_collections()}
        for spec in COLLECTIONS:
            options = existing[spec.name].get("options", {}) if spec.name in existing else None
            indexes = await store.collection(spec.name).index_information() if options is not None else {}
            found += _examined(spec, options, indexes)
        done = {entry["_id"]: entry async for entry in store.collection(MIGRATIONS.name).find({})}
    for step in steps:
        applied_at = done[step.number]["applied_at"] if step.number in done else None
        condition = Condition.THERE if step.number in done else Condition.MISSING
        found.append(Part("migration", f"{step.number} {step.title}", condition, applied_at))
    return found


def _examined(spec: CollectionSpec, options: Document | None, indexes: Mapping[str, Any]) -> Iterator[Part]:
    """`options` are those of the collection, None where there is none."""
    there = Condition.THERE if options is not None else Condition.MISSING
    yield Part("collection", spec.name, there)
    if spec.required:
        given = (options or {}).get("validator")
        same = Condition.THERE if given == validator(spec) else Condition.DIFFERENT
        yield Part("validator", spec.name, same if given else Condition.MISSING)
    for index in spec.indexes:
        found = indexes.get(index.name)
        same = Condition.THERE if found is None or _is_same(index, found) else Condition.DIFFERENT
        yield Part("index", f"{spec.name}.{index.name}", Condition.MISSING if found is None else same)


def _is_same(index: Index, found: Mapping[str, Any]) -> bool:
    """By keys and by what the database does beyond looking things up."""
    return (
        [(name, int(direction)) for name, direction in found["key"]] == list(index.keys)
        and bool(found.get("unique")) == index.unique
        and found.get("expireAfterSeconds") == index.expire_after_s
        and dict(found.get("partialFilterExpression") or {}) == dict(index.where)
    )


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
        try:
            await db[spec.name].create_index(list(index.keys), **_options(index))
        except OperationFailure as error:
            if error.code not in _INDEX_CONFLICTS:
                raise
            msg = (
                f"the index {index.name} of {spec.name} is there with other keys or options; drop it "
                f"(db.getCollection('{spec.name}').dropIndex('{index.name}')), then migrate again"
            )
            raise ConfigurationError(msg) from None


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
