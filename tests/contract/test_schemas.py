"""What the database is shaped like goes on from release to release so that two of them can share it.

Whoever changes a collection, an index or the migrations gives the schema the next number, and writes it down:
`python -m tests.contract.schemas`. What no release has shipped yet may be written down again.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from shared.store.schema import SCHEMA
from tests.contract.schemas.record import as_declared, recorded


def test_the_number_stands_for_what_is_declared() -> None:
    newest = recorded()[-1]
    assert newest["schema"] == SCHEMA == len(recorded())
    assert newest == as_declared(), "raise SCHEMA in shared/store/schema.py, then: -m tests.contract.schemas"


def test_two_releases_can_share_the_database() -> None:
    for before, after in pairwise([*recorded(), as_declared()]):
        assert faults(before, after) == [], f"from {before['schema']} to {after['schema']}"


def faults(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """What of the later schema would make the release before it fail."""
    found = [f"migration {number} is gone" for number in set(before["migrations"]) - set(after["migrations"])]
    for name, old in before["collections"].items():
        new = after["collections"].get(name, {"indexes": {}, "validator": None})
        for index, declared in new["indexes"].items():
            if index in old["indexes"] and declared != old["indexes"][index]:
                found.append(f"{name}.{index} is another one: give it a name of its own")
            if index not in old["indexes"] and declared.get("unique"):
                found.append(f"{name}.{index} is unique: what the release before writes may be refused")
        found += [f"{name}.{field}: another type" for field in _changed_types(old, new)]
    return found


def _changed_types(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Required fields that are to have less types than before."""
    types = [((one["validator"] or {}).get("$jsonSchema") or {}).get("properties", {}) for one in (old, new)]
    return [
        field
        for field in types[0].keys() & types[1].keys()
        if not _types(types[0][field]) <= _types(types[1][field])
    ]


def _types(declared: dict[str, Any]) -> set[str]:
    kinds = declared["bsonType"]
    return set(kinds) if isinstance(kinds, list) else {kinds}


def test_what_would_make_the_release_before_fail_is_found() -> None:
    def schema(validator: dict[str, Any], **indexes: dict[str, Any]) -> dict[str, Any]:
        properties = {"$jsonSchema": {"properties": validator}}
        return {"migrations": [1], "collections": {"papers": {"validator": properties, "indexes": indexes}}}

    before = schema({"size": {"bsonType": ["int", "long"]}}, newest={"keys": [["at", -1]]})
    assert faults(before, before) == []
    after = schema({"size": {"bsonType": "int"}}, newest={"keys": [["at", 1]]}, one={"unique": True})
    after["migrations"] = []
    assert faults(before, after) == [
        "migration 1 is gone",
        "papers.newest is another one: give it a name of its own",
        "papers.one is unique: what the release before writes may be refused",
        "papers.size: another type",
    ]
