"""Replicas that start at once, one of them killed, suspended or slow: each migration is done, and once."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from deploy.embedded.ports import LOOPBACK, lease_port
from shared.errors import DependencyDown
from shared.settings import MongoSettings
from shared.store.connection import Database, Store
from shared.store.migrations import LEASE, Migration, Migrator
from shared.store.owners import LEASES, MIGRATIONS
from tests.load.house import Running
from tests.support.migrating_service import NUMBER, PAPERS
from tests.support.wait import until

_LEASE_S = 1.5
_WITHIN_S = 30.0


@dataclass(frozen=True, slots=True)
class Replicas:
    """Three processes, not started yet, and what they work on."""

    store: Store
    all: tuple[Running, ...]

    async def at_work(self, runs: int) -> Running:
        """The one whose run is the latest of so many, once it has done its half."""
        papers = self.store.collection("papers")

        async def latest() -> int | None:
            found = [run["pid"] async for run in self.store.collection("runs").find({})]
            half = await papers.count_documents({"size": {"$exists": True}}) == PAPERS / 2
            return int(found[-1]) if len(found) == runs and half else None

        pid = await until(latest, within_s=_WITHIN_S, what=f"run {runs} is half way")
        return next(one for one in self.all if one.running and one.pid == pid)

    async def go_on(self) -> None:
        await self.store.collection("gate").insert_one({})

    async def runs(self) -> int:
        return await self.store.collection("runs").count_documents({})

    async def applied(self) -> list[dict[str, Any]]:
        return await self.store.collection(MIGRATIONS.name).find({"_id": NUMBER}).to_list(None)

    async def changed_once(self) -> bool:
        once = {"size": {"$gt": 0}, "changes": 1}
        return await self.store.collection("papers").count_documents(once) == PAPERS


@pytest_asyncio.fixture
async def replicas(mongo: MongoSettings, store: Store) -> AsyncIterator[Replicas]:
    papers = [{"_id": number, "text": "x" * (number + 1)} for number in range(PAPERS)]
    await store.collection("papers").insert_many(papers)
    env = {name: value for name, value in os.environ.items() if not name.startswith("LISTENINGPOST_")} | {
        "LISTENINGPOST_MONGO__URI": mongo.uri.get_secret_value(),
        "LISTENINGPOST_MONGO__DATABASE": mongo.database,
        "LISTENINGPOST_HTTP__HOST": LOOPBACK,
        "LISTENINGPOST_LOG__FORMAT": "json",
        "LEASE_S": str(_LEASE_S),
    }
    argv = (sys.executable, "-m", "tests.support.migrating_service")
    leases = [lease_port() for _ in range(3)]
    made = tuple(
        Running(f"replica-{number}", argv, env | {"LISTENINGPOST_HTTP__PORT": str(lease.port)}, lease)
        for number, lease in enumerate(leases)
    )
    yield Replicas(store, made)
    for one in made:
        await one.close()


def said(replica: Running, event: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in replica.lines if line.startswith("{")]
    return [line for line in lines if line["event"] == event]


async def test_one_migrates_for_longer_than_a_lease_and_the_others_wait_and_say_so(
    replicas: Replicas,
) -> None:
    for one in replicas.all:
        one.start()
    working = await replicas.at_work(1)
    waiting = [one for one in replicas.all if one is not working]
    await until(
        lambda: all(said(one, "migrations_awaited") for one in waiting),
        within_s=_WITHIN_S,
        what="they say so",
    )
    for one in waiting:
        assert str(working.pid) in said(one, "migrations_awaited")[0]["holder"].split()
        assert (await one.readiness())[1]["migrations"] == "starting"
    await _lease_renewed(replicas.store, lasting_s=3 * _LEASE_S)
    assert await replicas.runs() == 1
    await replicas.go_on()
    for one in replicas.all:
        await one.ready()
    assert (await replicas.runs(), await replicas.changed_once()) == (1, True)
    assert str(working.pid) in (await replicas.applied())[0]["by"].split()
    assert len(said(working, "migration_applied")) == 1
    assert not any(said(one, "migration_started") for one in waiting)


async def test_another_goes_on_after_a_kill(replicas: Replicas) -> None:
    for one in replicas.all:
        one.start()
    killed = await replicas.at_work(1)
    await killed.kill()
    heir = await replicas.at_work(2)
    assert heir is not killed
    assert await replicas.applied() == []
    await replicas.go_on()
    for one in replicas.all:
        if one is not killed:
            await one.ready()
    killed.start()
    await killed.ready()
    assert (await replicas.runs(), await replicas.changed_once()) == (2, True)
    assert str(heir.pid) in (await replicas.applied())[0]["by"].split()


async def test_who_was_suspended_meanwhile_stops_and_waits_like_the_others(replicas: Replicas) -> None:
    for one in replicas.all[:2]:
        one.start()
    suspended = await replicas.at_work(1)
    os.kill(suspended.pid, signal.SIGSTOP)
    heir = await replicas.at_work(2)
    os.kill(suspended.pid, signal.SIGCONT)
    await until(
        lambda: said(suspended, "dependency_awaited") and said(suspended, "migrations_awaited"),
        within_s=_WITHIN_S,
        what="it notices that it lost the lease, and waits",
    )
    assert "the lease on migrations ran out" in said(suspended, "dependency_awaited")[-1]["cause"]
    assert await replicas.applied() == []
    await replicas.go_on()
    for one in (heir, suspended):
        await one.ready()
    assert (await replicas.runs(), await replicas.changed_once()) == (2, True)
    assert str(heir.pid) in (await replicas.applied())[0]["by"].split()
    assert not said(suspended, "migration_applied")


async def test_who_stops_on_sigterm_gives_the_lease_back_at_once(replicas: Replicas) -> None:
    replicas.all[0].start()
    stopped = await replicas.at_work(1)
    ended = await stopped.stop()
    assert ended is not None
    assert ended.returncode == 0
    assert await replicas.store.collection(LEASES.name).find_one({"_id": LEASE}) is None
    assert await replicas.applied() == []


async def test_nothing_is_written_down_once_the_lease_is_anothers(store: Store) -> None:
    async def robbed(db: Database) -> None:
        # As if it had hung so long that nothing of ours has run since.
        await db[LEASES.name].update_one({"_id": LEASE}, {"$set": {"holder": "somebody else"}})

    with pytest.raises(DependencyDown, match="the lease on migrations ran out"):
        await Migrator(store, (Migration(NUMBER, "a change of documents", robbed),)).start()
    assert await store.collection(MIGRATIONS.name).find_one({"_id": NUMBER}) is None
    lease = await store.collection(LEASES.name).find_one({"_id": LEASE})
    assert lease is not None
    assert lease["holder"] == "somebody else"


async def _lease_renewed(store: Store, lasting_s: float) -> None:
    """Returns once its end has moved on by so many seconds."""
    first = await store.collection(LEASES.name).find_one({"_id": LEASE})
    assert first is not None

    async def moved() -> bool:
        lease = await store.collection(LEASES.name).find_one({"_id": LEASE})
        return lease is not None and (lease["until"] - first["until"]).total_seconds() >= lasting_s

    await until(moved, within_s=_WITHIN_S, what="the lease is renewed")
