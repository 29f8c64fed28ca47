"""The directory in MongoDB: immutable versions, one pointer moved by compare-and-set, and who follows it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from pydantic import SecretStr

from shared import clock
from shared.domain.declaration import read_workspace
from shared.domain.workspace import Unsound, Workspace
from shared.errors import DependencyDown, InvalidInput
from shared.settings import MongoSettings
from shared.store.connection import Store
from shared.store.directory import Conflict, DirectoryFollower, DirectoryStore, Origin
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
        await until(lambda: follower.problem() is None, within_s=10, what="the first version is followed")
        await directory.propose(workspace("Second"), "mara", expected=1, now=clock.now())
        await until(lambda: follower.directory.version == 2, within_s=10, what="the second is followed")
        assert follower.directory.workspace.name == "Second"
    finally:
        await follower.stop()


async def test_what_only_a_newer_release_knows_is_passed_over_and_never_lost(store: Store) -> None:
    directory, follower = DirectoryStore(store), DirectoryFollower(store)
    await directory.propose(workspace("First"), "mara", expected=0, now=clock.now())
    newer = {
        "workspace.moon": "full",
        "workspace.people.0.pronouns": "she",
        "workspace.receivers": [{"id": "people", "kind": "people"}, {"id": "pager", "kind": "pager"}],
        "workspace.route.routes.0.receiver": "pager",
    }
    await store.collection(DIRECTORY.name).update_many({"workspace": {"$exists": True}}, {"$set": newer})
    await follower.start()
    try:
        known = follower.directory.workspace
        assert (known.name, known.people[0].id) == ("First", "lotte")
        assert [receiver.id for receiver in known.receivers] == ["people"]
        assert known.route.routes[0].receiver is None
    finally:
        await follower.stop()
    version = await directory.in_force()
    assert version is not None
    assert set(version.passed_over) == {
        "moon",
        "people/0/pronouns",
        "receivers/1/kind",
        "receivers/1",
        "route/routes/0/receiver",
    }
    for changing in (
        directory.current,
        lambda: directory.change(renamed("Second"), "ben", Origin.API, now=clock.now()),
    ):
        with pytest.raises(DependencyDown, match="newer release"):
            await changing()
    stored = await store.collection(DIRECTORY.name).find_one({"workspace.moon": "full"})
    assert stored is not None


async def test_of_a_version_that_says_too_little_the_last_one_stays_in_force(store: Store) -> None:
    directory, follower = DirectoryStore(store), DirectoryFollower(store)
    await directory.propose(workspace("First"), "mara", expected=0, now=clock.now())
    await follower.start()
    try:
        await store.collection(DIRECTORY.name).update_many(
            {"workspace": {"$exists": True}}, {"$set": {"workspace.products": [{"moon": "full"}]}}
        )
        with pytest.raises(DependencyDown, match="newer release"):
            await directory.in_force()
        assert follower.directory.workspace.name == "First"
    finally:
        await follower.stop()


def renamed(name: str) -> Callable[[Workspace], Workspace]:
    return lambda before: before.model_copy(update={"name": name})


async def test_a_version_says_who_made_it_and_how(store: Store) -> None:
    directory = DirectoryStore(store)
    await directory.propose(workspace("First"), "mara", expected=0, now=clock.now())
    first = await directory.current()
    await directory.change(renamed("Second"), "ben", Origin.CONSOLE, now=clock.now())
    second = await directory.current()
    assert first is not None
    assert second is not None
    assert (first.origin, first.author) == (Origin.FILE, "mara")
    assert (second.number, second.origin, second.author) == (2, Origin.CONSOLE, "ben")
    assert second.workspace.name == "Second"


async def test_a_change_that_changes_nothing_makes_no_version(store: Store) -> None:
    directory = DirectoryStore(store)
    await directory.propose(workspace("First"), "mara", expected=0, now=clock.now())
    version = await directory.change(renamed("First"), "ben", Origin.API, now=clock.now())
    assert (version.number, version.author) == (1, "mara")


async def test_changes_at_the_same_moment_are_all_made(store: Store) -> None:
    directory = DirectoryStore(store)
    await directory.propose(workspace("First"), "mara", expected=0, now=clock.now())

    def rival(number: int) -> Callable[[Workspace], Workspace]:
        return lambda before: before.model_copy(
            update={"competitors": (*before.competitors, f"Rival {number}")}
        )

    changes = [directory.change(rival(i), f"p{i}", Origin.API, now=clock.now()) for i in range(6)]
    versions = await asyncio.gather(*changes)
    current = await directory.current()
    assert current is not None
    assert sorted(version.number for version in versions) == [2, 3, 4, 5, 6, 7]
    kept = await store.collection(DIRECTORY.name).count_documents({"workspace": {"$exists": True}})
    assert kept == 7, "who lost a race left nothing behind"
    assert set(current.workspace.competitors) == {f"Rival {number}" for number in range(6)}


async def test_a_change_of_what_was_seen_is_made_of_nothing_else(store: Store) -> None:
    directory = DirectoryStore(store)
    await directory.propose(workspace("First"), "mara", expected=0, now=clock.now())
    changed = await directory.change(renamed("Second"), "ben", Origin.API, now=clock.now(), expected={1, 7})
    assert changed.number == 2
    for expected in ({1}, set[int]()):
        with pytest.raises(Conflict, match="version 2 by ben"):
            await directory.change(renamed("Third"), "lea", Origin.API, now=clock.now(), expected=expected)
    current = await directory.current()
    assert current is not None
    assert current.workspace.name == "Second"


async def test_whoever_asks_for_the_newest_sees_a_change_at_once(store: Store) -> None:
    directory, follower = DirectoryStore(store), DirectoryFollower(store)
    with pytest.raises(DependencyDown, match="listeningpost apply"):
        await follower.newest()
    await directory.propose(workspace("First"), "mara", expected=0, now=clock.now())
    for number in range(2, 30):
        await directory.change(renamed(f"{number}"), "ben", Origin.API, now=clock.now())
        found = await asyncio.gather(*(follower.newest() for _ in range(3)))
        assert {each.version for each in found} == {number}


async def test_a_change_that_would_leave_faults_is_refused_with_them(store: Store) -> None:
    directory = DirectoryStore(store)
    await directory.propose(workspace("First"), "mara", expected=0, now=clock.now())
    for field, value, path in (
        ("triage_owner", "nobody", ("triage_owner",)),
        ("competitors", (7,), ("competitors", 0)),
    ):
        with pytest.raises(Unsound) as caught:
            await directory.change(
                lambda before, update={field: value}: before.model_copy(update=update),  # type: ignore[misc]
                "ben",
                Origin.API,
                now=clock.now(),
            )
        assert caught.value.faults[0].path == path
    version = await directory.current()
    assert version is not None
    assert version.number == 1


async def test_a_change_before_the_first_workspace_says_what_to_do(store: Store) -> None:
    with pytest.raises(DependencyDown, match="listeningpost apply"):
        await DirectoryStore(store).change(renamed("x"), "ben", Origin.API, now=clock.now())


async def test_a_workspace_too_large_for_a_version_is_refused_with_the_remedy(store: Store) -> None:
    directory = DirectoryStore(store)
    await directory.propose(workspace("First"), "mara", expected=0, now=clock.now())
    many = tuple("x" * 4000 + str(number) for number in range(4200))
    with pytest.raises(InvalidInput, match="16 MB") as caught:
        await directory.change(
            lambda before: before.model_copy(update={"competitors": many}),
            "ben",
            Origin.CSV,
            now=clock.now(),
        )
    assert caught.value.remedy
