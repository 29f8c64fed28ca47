"""The directory in MongoDB: immutable versions, one pointer moved by compare-and-set, and who follows it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from shared import clock
from shared.domain.declaration import read_workspace
from shared.domain.workspace import Workspace
from shared.errors import DependencyDown
from shared.settings import MongoSettings
from shared.store.connection import Store
from shared.store.directory import Conflict, DirectoryFollower, DirectoryStore
from shared.store.migrations import Migrator
from shared.store.owners import DIRECTORY
from tests.support.session import MongoAddress
from tests.support.wait import until


def workspace(name: str) -> Workspace:
    return read_workspace(f"""
name: {name}
triage_owner: lotte
departments: [{{id: product, name: Product, lens: management}}]
people: [{{id: lotte, name: Lotte, department: product, emails: [lotte@small.example]}}]
products: [{{id: line, name: Line, pm: lotte, stages: [
  {{id: use, name: Use, touchpoints: [{{id: bill, name: Bill}}]}}]}}]
receivers: [{{id: people, kind: people}}]
route: {{receiver: people, routes: [{{match: [polarity="keep"], continue: true}}]}}
""")


@pytest.fixture
async def store(mongo_server: MongoAddress, database_name: str) -> AsyncIterator[Store]:
    store = Store(MongoSettings(uri=SecretStr(mongo_server.uri), database=database_name))
    await store.start()
    await Migrator(store).start()
    yield store
    await store.db.client.drop_database(database_name)
    await store.stop()


async def test_what_was_applied_is_read_back_as_it_was(store: Store) -> None:
    directory = DirectoryStore(store)
    assert await directory.current() is None
    now = clock.now()
    await directory.propose(workspace("First"), "mara", expected=0, now=now)
    version = await directory.current()
    assert version is not None
    assert (version.number, version.author, version.applied_at) == (1, "mara", now)
    assert version.workspace == workspace("First")


async def test_the_slower_of_two_learns_of_the_faster_and_changes_nothing(store: Store) -> None:
    directory = DirectoryStore(store)
    for expected in (0, 1):
        await directory.propose(workspace(f"Good {expected}"), "mara", expected=expected, now=clock.now())
        with pytest.raises(Conflict, match=f"version {expected + 1} by mara"):
            await directory.propose(workspace("Late"), "ben", expected=expected, now=clock.now())
    version = await directory.current()
    assert version is not None
    assert (version.number, version.workspace.name) == (2, "Good 1")


async def test_earlier_versions_stay_as_they_were(store: Store) -> None:
    directory = DirectoryStore(store)
    await directory.propose(workspace("First"), "mara", expected=0, now=clock.now())
    before = await store.collection(DIRECTORY.name).find_one({"version": 1, "workspace": {"$exists": True}})
    await directory.propose(workspace("Second"), "ben", expected=1, now=clock.now())
    after = await store.collection(DIRECTORY.name).find_one({"version": 1, "workspace": {"$exists": True}})
    assert before == after


async def test_a_follower_waits_for_the_first_and_sees_the_next_within_two_seconds(store: Store) -> None:
    directory, follower = DirectoryStore(store), DirectoryFollower(store)
    await follower.start()
    try:
        with pytest.raises(DependencyDown, match="listeningpost apply"):
            _ = follower.directory
        assert "listeningpost apply" in (follower.problem() or "")
        await directory.propose(workspace("First"), "mara", expected=0, now=clock.now())
        await until(lambda: follower.problem() is None, within_s=2, what="the first version is followed")
        await directory.propose(workspace("Second"), "mara", expected=1, now=clock.now())
        await until(lambda: follower.directory.version == 2, within_s=2, what="the second is followed")
        assert follower.directory.workspace.name == "Second"
    finally:
        await follower.stop()


async def test_a_version_of_a_newer_release_leaves_the_last_one_in_force(store: Store) -> None:
    directory, follower = DirectoryStore(store), DirectoryFollower(store)
    await directory.propose(workspace("First"), "mara", expected=0, now=clock.now())
    await follower.start()
    try:
        await store.collection(DIRECTORY.name).update_many(
            {"workspace": {"$exists": True}}, {"$set": {"workspace.moon": "full"}}
        )
        with pytest.raises(DependencyDown, match="newer release"):
            await directory.current()
        assert follower.directory.workspace.name == "First"
    finally:
        await follower.stop()
