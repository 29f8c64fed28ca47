"""A database that another release has shaped: the next one's stays as it is, a later one's is refused."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from deploy.embedded.ports import LOOPBACK, lease_port
from shared import clock
from shared.errors import ConfigurationError
from shared.settings import MongoSettings
from shared.store.connection import Document, Store
from shared.store.declared import Condition, validator
from shared.store.migrations import Migration, Migrator, examine
from shared.store.owners import FEEDBACK, IDEMPOTENCY, LEASES, MIGRATIONS
from shared.store.schema import SCHEMA, Schema, SchemaStore, Standing
from tests.load.house import Running
from tests.support.cli import Cli
from tests.support.wait import until


@pytest_asyncio.fixture
async def newer(store: Store) -> Store:
    """As the next release leaves it: one more field is required, an index is another, one is gone."""
    stricter = validator(FEEDBACK)
    stricter["$jsonSchema"]["required"].append("moon")
    await store.db.command("collMod", FEEDBACK.name, validator=stricter)
    await store.collection(IDEMPOTENCY.name).drop_index("expires")
    await store.collection(IDEMPOTENCY.name).create_index([("expires_at", 1)], name="expires")
    await store.collection(FEEDBACK.name).drop_index("triage")
    await shaped(store, SCHEMA + 1)
    return store


async def shaped(store: Store, number: int) -> None:
    entry = {"number": number, "release": "99.0", "taken_at": clock.now(), "of_a_newer_release": 1}
    await store.collection(MIGRATIONS.name).replace_one({"_id": "schema"}, entry, upsert=True)


async def shape(store: Store) -> list[Any]:
    """All there is to change."""
    found: list[Any] = [await store.collection(MIGRATIONS.name).find({}).to_list(None)]
    for name in sorted(await store.db.list_collection_names()):
        options = await store.collection(name).options()
        found.append((name, options, await store.collection(name).index_information()))
    return found


async def _never(_: object) -> None:
    raise AssertionError


STEPS = (Migration(9_001, "a change of documents", _never),)


async def test_a_database_says_by_which_release_it_was_made(store: Store) -> None:
    found = await SchemaStore(store).found()
    assert (found.number, found.standing, bool(found.release)) == (SCHEMA, Standing.OURS, True)


async def test_the_number_is_there_before_anything_of_its_shape_is(store: Store) -> None:
    """So that an older release that starts meanwhile leaves alone what it finds."""
    await store.collection(MIGRATIONS.name).delete_one({"_id": "schema"})
    seen: list[int] = []

    async def step(_: object) -> None:
        seen.append((await SchemaStore(store).found()).number)

    await Migrator(store, (Migration(9_001, "a change of documents", step),)).start()
    assert seen == [SCHEMA]


async def test_what_the_next_release_has_made_stays_as_it_is(newer: Store) -> None:
    before = await shape(newer)
    await Migrator(newer, STEPS).start()
    assert await shape(newer) == before
    assert {part.condition for part in await examine(newer, ())} == {Condition.THERE}


async def test_of_a_later_one_this_release_says_that_it_is_too_old(newer: Store) -> None:
    await shaped(newer, SCHEMA + 2)
    before = await shape(newer)
    with pytest.raises(ConfigurationError, match=r"schema \d+ of release 99.0.*only a backup"):
        await Migrator(newer, STEPS).start()
    assert await shape(newer) == before
    assert await newer.collection(LEASES.name).find_one({"_id": "migrations"}) is None


@pytest.mark.parametrize(
    ("number", "standing"),
    [
        (0, Standing.OLDER),
        (SCHEMA, Standing.OURS),
        (SCHEMA + 1, Standing.NEWER),
        (SCHEMA + 2, Standing.UNKNOWN),
    ],
)
def test_it_works_with_one_number_further_and_no_more(number: int, standing: Standing) -> None:
    assert Schema(number).standing is standing


@pytest_asyncio.fixture
async def replica(mongo: MongoSettings) -> AsyncIterator[Running]:
    lease = lease_port()
    env = {name: value for name, value in os.environ.items() if not name.startswith("LISTENINGPOST_")} | {
        "LISTENINGPOST_MONGO__URI": mongo.uri.get_secret_value(),
        "LISTENINGPOST_MONGO__DATABASE": mongo.database,
        "LISTENINGPOST_HTTP__HOST": LOOPBACK,
        "LISTENINGPOST_HTTP__PORT": str(lease.port),
        "LEASE_S": "15",
    }
    running = Running("replica", (sys.executable, "-m", "tests.support.migrating_service"), env, lease)
    yield running
    await running.close()


async def test_a_service_that_was_rolled_back_one_release_is_ready_and_further_back_it_ends(
    newer: Store, replica: Running
) -> None:
    replica.start()
    await replica.ready()
    await replica.stop()
    await shaped(newer, SCHEMA + 2)
    replica.start()
    ended = await replica.ended()
    assert ended.returncode == 2
    await until(
        lambda: any("cannot start: the database is of schema" in line for line in replica.lines),
        within_s=5,
        what="it says why",
    )


def test_the_command_says_so(cli: Cli) -> None:
    assert cli("migrate", "--json").json["schema"] == {"database": SCHEMA, "release": SCHEMA}

    async def put(store: Store, entry: Document) -> None:
        await store.collection(MIGRATIONS.name).update_one({"_id": "schema"}, {"$set": entry})

    asyncio.run(cli.with_store(lambda store: put(store, {"number": SCHEMA + 1, "release": "99.0"})))
    newer = cli("migrate")
    assert (newer.code, "of release 99.0" in newer.out) == (0, True)
    asyncio.run(cli.with_store(lambda store: put(store, {"number": SCHEMA + 2})))
    unknown = cli("migrate")
    assert (unknown.code, "only a backup" in unknown.err) == (2, True)
