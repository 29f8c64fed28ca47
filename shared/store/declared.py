"""What this release declares of the database: whether it is there, and how it is made.

Collections, validators and indexes only. What has to be done to documents is a migration.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

import structlog
from pymongo.errors import CollectionInvalid, OperationFailure

from shared.errors import ConfigurationError
from shared.store.connection import Database, Document, Store, guard
from shared.store.owners import COLLECTIONS, CollectionSpec, Index

_NAMESPACE_EXISTS = 48
#: IndexOptionsConflict and IndexKeySpecsConflict: the name, or the keys, are taken by another index.
_INDEX_CONFLICTS = frozenset({85, 86})
_log = structlog.get_logger()


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


async def missing(store: Store) -> list[str]:
    """Collections and indexes this release needs and the database does not have. Raises DependencyDown."""
    return [
        part.name
        for part in await declared(store)
        if part.kind in {"collection", "index"} and part.condition is Condition.MISSING
    ]


async def declared(store: Store) -> list[Part]:
    """Everything this release declares, and whether it is there. Changes nothing. Raises DependencyDown."""
    found: list[Part] = []
    with guard():
        existing = {entry["name"]: entry async for entry in await store.db.list_collections()}
        for spec in COLLECTIONS:
            options = existing[spec.name].get("options", {}) if spec.name in existing else None
            indexes = await store.collection(spec.name).index_information() if options is not None else {}
            found += _examined(spec, options, indexes)
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


async def ensure(db: Database, spec: CollectionSpec, *, exists: bool) -> None:
    """The collection is as declared. Raises ConfigurationError for an index that is in the way."""
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
