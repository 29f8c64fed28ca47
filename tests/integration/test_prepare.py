"""What `docker compose` runs once before the services, on this run's servers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr

from deploy.docker import keys
from deploy.docker.prepare import Members, let_in, prepare
from deploy.embedded.mongod import mongo_uri
from deploy.embedded.ports import lease_port
from shared.bus.admin import describe
from shared.errors import DependencyDown
from shared.settings import CommonSettings, KafkaSettings, MongoSettings, load
from shared.store.connection import Store, guard
from shared.store.leases import LeaseStore
from shared.store.migrations import LEASE, Migrator
from shared.store.owners import COLLECTIONS
from tests.support.locked_mongo import LockedMongo


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, Path]:
    made = {name: tmp_path / name for name in ("own", "shared", "mongodb")}
    for folder in made.values():
        folder.mkdir()
    return made


@pytest.fixture
def closed_port() -> Iterator[int]:
    lease = lease_port()
    yield lease.port
    lease.release()


async def test_the_servers_are_ready_and_it_may_be_repeated(kafka: KafkaSettings, store: Store) -> None:
    settings = CommonSettings(
        kafka=kafka.model_copy(update={"topic_prefix": f"{kafka.topic_prefix}again."}), mongo=store._settings
    )
    for _ in range(2):
        await prepare(settings, members=None, within_s=30)
    assert all(state.partitions == state.declared_partitions for state in await describe(settings.kafka))
    assert {spec.name for spec in COLLECTIONS} <= set(await store.db.list_collection_names())


async def test_somebody_elses_migration_is_waited_for_beyond_the_time_for_servers(
    kafka: KafkaSettings, store: Store
) -> None:
    assert await LeaseStore(store).acquire(LEASE, "another replica", lease_s=4)
    settings = CommonSettings(kafka=kafka, mongo=store._settings)
    began_at = asyncio.get_running_loop().time()
    await prepare(settings, members=None, within_s=2)
    assert asyncio.get_running_loop().time() - began_at > 3


@pytest.mark.parametrize("initiates", [False, True])
async def test_a_server_that_does_not_come_is_named(closed_port: int, *, initiates: bool) -> None:
    address = f"127.0.0.1:{closed_port}"
    uri = SecretStr(f"mongodb://{address}/?directConnection=true")
    settings = CommonSettings(mongo=MongoSettings(uri=uri, server_selection_timeout_ms=100))
    with pytest.raises(DependencyDown, match=r"mongodb is not reachable|not ready within"):
        await prepare(settings, members=Members(address, address) if initiates else None, within_s=0.5)


def test_keys_are_made_once_and_read_without_a_variable(folders: dict[str, Path]) -> None:
    environment = {"LISTENINGPOST_SECRETS_DIR": str(folders["own"])}
    none_yet = load(CommonSettings, environment)
    assert none_yet.contributors_key is none_yet.internal_token is none_yet.mongo.password is None
    assert len(keys.make(**folders, settings=none_yet)) == 5
    first = load(CommonSettings, environment)
    assert keys.make(**folders, settings=first) == []
    again = load(CommonSettings, environment)
    assert again.contributors_key == first.contributors_key is not None
    assert again.mongo.password == first.mongo.password is not None
    environment["LISTENINGPOST_CONTRIBUTORS_KEY"] = "of our own"
    assert load(CommonSettings, environment).contributors_key == SecretStr("of our own")


def test_who_has_no_business_with_confidences_gets_the_rest_and_a_changed_one_too(
    folders: dict[str, Path],
) -> None:
    def read(folder: str) -> CommonSettings:
        return load(CommonSettings, {"LISTENINGPOST_SECRETS_DIR": str(folders[folder])})

    keys.make(**folders, settings=CommonSettings())
    assert sorted(file.name for file in folders["shared"].iterdir()) == ["internal_token", "mongo__password"]
    assert read("shared").internal_token == read("own").internal_token is not None
    (folders["own"] / "mongo__password").unlink()
    keys.make(**folders, settings=read("own"))
    assert read("shared").mongo.password == read("own").mongo.password is not None


def test_nobody_else_may_read_a_key(folders: dict[str, Path]) -> None:
    keys.make(**folders, settings=CommonSettings())
    modes = {file: file.stat().st_mode & 0o777 for folder in folders.values() for file in folder.iterdir()}
    assert {mode for file, mode in modes.items() if file.parent != folders["mongodb"]} == {0o600}
    assert {mode for file, mode in modes.items() if file.parent == folders["mongodb"]} == {0o440}


@asynccontextmanager
async def opened(settings: MongoSettings) -> AsyncIterator[Store]:
    store = Store(settings)
    try:
        yield store
    finally:
        await store.stop()


async def test_a_server_that_asks_for_names_gets_its_users_and_lets_in_nobody_else(
    folders: dict[str, Path],
) -> None:
    keys.make(**folders, settings=CommonSettings())
    server = LockedMongo(folders["mongodb"] / keys.KEY_FILE)
    (folders["mongodb"] / keys.KEY_FILE).chmod(0o400)
    await server.start()
    try:
        for password in ("first", "changed", "changed"):
            await let_in(server.settings(password).mongo, server.members)
            async with opened(server.settings(password).mongo) as store:
                await Migrator(store).start()
        for stranger in (
            server.settings("first").mongo,
            MongoSettings(uri=SecretStr(mongo_uri(server.port))),
        ):
            async with opened(stranger) as store:
                with pytest.raises(DependencyDown, match=r"refuses the name|asks for a name"), guard():
                    await store.collection("feedback").find_one()
        async with opened(
            server.settings("changed").mongo.model_copy(update={"database": "another"})
        ) as elsewhere:
            with pytest.raises(DependencyDown, match="more rights"), guard():
                await elsewhere.collection("feedback").insert_one({})
    finally:
        await server.close()
