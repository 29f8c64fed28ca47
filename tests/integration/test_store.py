"""The store on a real MongoDB: migrations, validators, leases, followers, pending events."""

from __future__ import annotations

import asyncio

import pytest
from prometheus_client import REGISTRY
from pydantic import SecretStr
from pymongo.errors import WriteError

from shared.bus.publisher import Publisher
from shared.bus.tail import follow
from shared.errors import DependencyDown
from shared.events.topics import RECEIVED
from shared.relay import Relay
from shared.settings import KafkaSettings, MongoSettings
from shared.store.connection import Database, Store
from shared.store.disk import StoreDisk
from shared.store.follow import Follower
from shared.store.leases import LeaseStore
from shared.store.migrations import Migration, Migrator
from shared.store.owners import COLLECTIONS
from shared.store.pending import PendingStore, with_pending
from tests.support.feedback import piece
from tests.support.wait import until


async def test_migrating_makes_every_collection_and_index_and_may_run_again(store: Store) -> None:
    await Migrator(store).start()
    names = set(await store.db.list_collection_names())
    assert {spec.name for spec in COLLECTIONS} <= names
    for spec in COLLECTIONS:
        indexes = await store.collection(spec.name).index_information()
        assert {index.name for index in spec.indexes} <= set(indexes), spec.name


async def test_each_migration_runs_once_however_many_replicas_start(store: Store) -> None:
    runs: list[int] = []

    async def run(_: Database) -> None:
        runs.append(1)

    steps = (Migration(1, "a change of documents", run),)
    await asyncio.gather(*(Migrator(store, steps).start() for _ in range(4)))
    assert runs == [1]


async def test_a_validator_catches_a_wrong_writer_and_lets_new_fields_pass(store: Store) -> None:
    good = {"_id": "f", "feedback_id": "f", "channel": "c", "source": "s", "revision": 1, "change": "created"}
    await store.collection("feedback").insert_one({**good, "field_of_tomorrow": True})
    with pytest.raises(WriteError):
        await store.collection("feedback").insert_one({**good, "_id": "g", "revision": "1"})


async def test_a_lease_has_one_holder_is_renewed_and_passes_on(store: Store) -> None:
    leases = LeaseStore(store)
    assert await leases.acquire("job", "one", lease_s=30)
    assert await leases.acquire("job", "one", lease_s=30)
    assert not await leases.acquire("job", "two", lease_s=30)
    await leases.release("job", "two")
    assert not await leases.acquire("job", "two", lease_s=30)
    await leases.release("job", "one")
    assert await leases.acquire("job", "two", lease_s=0.05)

    async def taken_over() -> bool:
        return await leases.acquire("job", "three", lease_s=30)

    await until(taken_over, within_s=5, what="a lease that ran out is taken over")


async def test_of_many_who_want_a_lease_one_gets_it(store: Store) -> None:
    leases = LeaseStore(store)
    won = await asyncio.gather(*(leases.acquire("race", f"holder {n}", lease_s=30) for n in range(8)))
    assert sum(won) == 1


async def test_a_follower_shows_a_change_within_two_seconds(store: Store) -> None:
    collection = store.collection("scratch")

    async def load() -> int:
        return await collection.count_documents({})

    follower = Follower("count", load)
    with pytest.raises(DependencyDown):
        _ = follower.snapshot
    await follower.start()
    assert follower.snapshot == 0
    await collection.insert_one({"_id": "a"})
    await until(lambda: follower.snapshot == 1, within_s=10, what="the insertion is seen")
    await collection.delete_one({"_id": "a"})
    await until(lambda: follower.snapshot == 0, within_s=10, what="the deletion is seen")
    assert follower.problem() is None
    await follower.stop()


async def test_a_pending_event_is_one_write_with_its_cause_and_published_once(
    store: Store, kafka: KafkaSettings, publisher: Publisher
) -> None:
    event = piece("pending")
    update = with_pending({"$set": {"name": "changed"}}, RECEIVED.name, [event])
    await store.collection("scratch").update_one({"_id": "entity"}, update, upsert=True)
    relay = Relay(store, publisher, ["scratch"])
    assert await relay.relay_once() == 1
    assert await relay.relay_once() == 0
    assert await PendingStore(store, "scratch").waiting() == []
    entity = await store.collection("scratch").find_one({"_id": "entity"})
    assert entity is not None
    assert entity["name"] == "changed"
    async for received in follow(kafka, RECEIVED, from_start=True):
        assert received.event == event
        break


async def test_the_relay_runs_by_itself(store: Store, kafka: KafkaSettings, publisher: Publisher) -> None:
    relay = Relay(store, publisher, ["scratch"])
    await relay.start()
    update = with_pending({}, RECEIVED.name, [piece("pending")])
    await store.collection("scratch").update_one({"_id": "entity"}, update, upsert=True)

    async def cleared() -> bool:
        return not await PendingStore(store, "scratch").waiting()

    await until(cleared, within_s=10, what="the event is published and cleared")
    assert relay.problem() is None
    await relay.stop()


async def test_a_store_that_is_away_is_a_dependency_not_an_error_of_the_item() -> None:
    settings = MongoSettings(uri=SecretStr("mongodb://127.0.0.1:1/"), server_selection_timeout_ms=200)
    store = Store(settings)
    with pytest.raises(DependencyDown) as caught:
        await store.start()
    assert "127.0.0.1" not in str(caught.value)
    await store.stop()


async def test_the_disk_of_the_database_is_told(store: Store) -> None:
    await StoreDisk(store).look()
    used = REGISTRY.get_sample_value("listeningpost_disk_used_ratio", {"volume": "mongodb"})
    assert used is not None
    assert 0 < used < 1
