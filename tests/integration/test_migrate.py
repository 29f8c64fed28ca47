"""What `listeningpost migrate` shows and makes, on a real database."""

from __future__ import annotations

import asyncio

import pytest

from shared.errors import ConfigurationError
from shared.store.connection import Database, Store
from shared.store.declared import Condition, missing
from shared.store.migrations import Migration, Migrator, examine
from shared.store.owners import COLLECTIONS, FEEDBACK
from tests.support.cli import Cli


def test_migrate_shows_what_would_be_made_makes_it_and_finds_nothing_more_to_do(cli: Cli) -> None:
    dry = cli("migrate", "--dry-run", "--json")
    assert dry.code == 1
    wanted = {(part["kind"], part["name"]) for part in dry.json["to_make"]}
    assert {("collection", spec.name) for spec in COLLECTIONS} <= wanted
    assert ("index", "feedback.by_speaker") in wanted
    assert ("validator", "feedback") in wanted
    assert asyncio.run(cli.with_store(missing))

    made = cli("migrate", "--json")
    assert made.code == 0
    assert {(part["kind"], part["name"]) for part in made.json["made"]} == wanted
    assert made.json["to_make"] == []
    again = cli("migrate")
    assert (again.code, "Nothing to do" in again.out) == (0, True)
    assert asyncio.run(cli.with_store(missing)) == []


def test_migrate_mends_a_validator_and_says_how_to_mend_an_index(cli: Cli) -> None:
    assert cli("migrate").code == 0

    async def spoil(store: Store) -> None:
        await store.db.command("collMod", FEEDBACK.name, validator={})
        await store.collection(FEEDBACK.name).drop_index("by_speaker")
        await store.collection(FEEDBACK.name).create_index([("channel", 1)], name="by_speaker")

    asyncio.run(cli.with_store(spoil))
    spoilt = {
        part["name"]: part["condition"] for part in cli("migrate", "--dry-run", "--json").json["to_make"]
    }
    assert spoilt == {"feedback": "missing", "feedback.by_speaker": "different"}
    done = cli("migrate")
    assert done.code == 2
    assert "db.getCollection('feedback').dropIndex('by_speaker')" in done.err

    async def drop(store: Store) -> None:
        await store.collection(FEEDBACK.name).drop_index("by_speaker")

    asyncio.run(cli.with_store(drop))
    assert cli("migrate").code == 0


async def test_a_migration_says_when_it_was_applied(store: Store) -> None:
    ran: list[int] = []
    heard: list[str] = []

    async def step(_: Database) -> None:
        ran.append(1)

    steps = (Migration(9_001, "a step of this test", step),)
    (before,) = [part for part in await examine(store, steps) if part.kind == "migration"]
    assert (before.condition, before.applied_at) == (Condition.MISSING, None)
    for _ in range(2):
        await Migrator(store, steps, heard.append).start()
    (after,) = [part for part in await examine(store, steps) if part.kind == "migration"]
    assert (after.condition, after.name, ran) == (Condition.THERE, "9001 a step of this test", [1])
    assert after.applied_at
    assert "migration 9001" in heard


async def test_a_service_that_meets_another_index_says_how_to_drop_it(store: Store) -> None:
    await store.collection(FEEDBACK.name).drop_index("by_speaker")
    await store.collection(FEEDBACK.name).create_index([("channel", 1)], name="by_speaker")
    with pytest.raises(ConfigurationError, match="dropIndex"):
        await Migrator(store).start()
