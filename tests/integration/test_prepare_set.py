"""What `init` does with three members that ask for names, whichever of them leads."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from pymongo.errors import OperationFailure

from deploy.docker import keys
from deploy.docker.prepare import REPLICA_SET, let_in
from shared.errors import DependencyDown
from shared.settings import CommonSettings
from shared.store.connection import Store, guard
from shared.store.replica_set import initiate
from tests.support.locked_mongo import LockedSet
from tests.support.wait import until

pytestmark = pytest.mark.timeout(180)


@pytest_asyncio.fixture
async def three(tmp_path: Path) -> AsyncIterator[LockedSet]:
    folders = {name: tmp_path / name for name in ("own", "shared", "mongodb")}
    for folder in folders.values():
        folder.mkdir()
    keys.make(**folders, settings=CommonSettings())
    key_file = folders["mongodb"] / keys.KEY_FILE
    key_file.chmod(0o400)
    async with LockedSet(key_file) as servers:
        yield servers


async def lets_in(servers: LockedSet, password: str) -> None:
    async def once() -> bool:
        try:
            await let_in(servers.settings(password).mongo, servers.members)
        except DependencyDown as error:
            raise AssertionError(error) from error
        return True

    await until(once, within_s=60, what="init gets through")


async def written(servers: LockedSet, password: str) -> int:
    """How many the services find, one more than before."""
    store = Store(servers.settings(password).mongo)
    try:
        with guard():
            await store.collection("feedback").insert_one({})
            return await store.collection("feedback").count_documents({})
    finally:
        await store.stop()


async def test_it_gets_through_whoever_wants_to_lead(three: LockedSet) -> None:
    first, second, _ = three.nodes
    members = three.members
    await initiate(members.hosts, REPLICA_SET, at=members.at, first_leads=True)
    # The worst moment: there is no user yet, and only the first lets somebody make one.
    with contextlib.suppress(OperationFailure):
        await three.step_up(second)
    await lets_in(three, "first")
    assert await three.primary() == first.address
    assert await written(three, "first") == 1

    # From now on any of them may.
    await three.step_up(second)
    await until(lambda: is_primary(three, second.address), within_s=30, what="the second leads")
    await lets_in(three, "changed")
    assert await written(three, "changed") == 2


async def test_a_first_member_that_lost_its_data_begins_no_other_set(three: LockedSet) -> None:
    first, _, _ = three.nodes
    await lets_in(three, "password")
    assert await written(three, "password") == 1
    await first.kill()
    first.lose_everything()
    await first.start()
    await lets_in(three, "password")
    assert await written(three, "password") == 2


async def test_it_waits_for_a_member_and_says_for_which(three: LockedSet) -> None:
    _, _, third = three.nodes
    await third.kill()
    members = three.members
    with pytest.raises(TimeoutError, match=f"{third.address} failed"):
        await initiate(members.hosts, REPLICA_SET, at=members.at, within_s=3.0, first_leads=True)
    await third.start()
    await lets_in(three, "password")


async def is_primary(servers: LockedSet, address: str) -> bool:
    return await servers.primary() == address
