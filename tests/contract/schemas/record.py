"""What a release declares of the database, as JSON: one file for each number of the schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from shared.store.declared import _options, validator
from shared.store.migrations import MIGRATION_STEPS
from shared.store.owners import COLLECTIONS, CollectionSpec
from shared.store.schema import SCHEMA

_FOLDER = Path(__file__).parent


def path_of(number: int) -> Path:
    return _FOLDER / f"{number:04d}.json"


def as_declared() -> dict[str, Any]:
    declared: dict[str, Any] = {
        "schema": SCHEMA,
        "collections": {spec.name: _collection(spec) for spec in COLLECTIONS},
        "migrations": [step.number for step in MIGRATION_STEPS],
    }
    # As it is read again: lists, no tuples.
    again: dict[str, Any] = json.loads(json.dumps(declared))
    return again


def recorded() -> list[dict[str, Any]]:
    """The oldest first."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(_FOLDER.glob("*.json"))]


def write(declared: dict[str, Any]) -> None:
    text = json.dumps(declared, indent=1, sort_keys=True) + "\n"
    path_of(declared["schema"]).write_text(text, encoding="utf-8")


def _collection(spec: CollectionSpec) -> dict[str, Any]:
    indexes = {index.name: {"keys": list(index.keys), **_options(index)} for index in spec.indexes}
    return {"validator": validator(spec) if spec.required else None, "indexes": indexes}
