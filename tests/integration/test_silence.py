"""Silence as ingest learns it: shared by replicas, kept over a restart, told to tools."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from prometheus_client import REGISTRY

from services.ingest.silence import Silences
from shared import clock
from shared.domain.api_key import Scope
from shared.settings import KafkaSettings, MongoSettings
from shared.store.api_keys import ApiKeyStore
from shared.store.connection import Store
from tests.support.doors import INGEST
from tests.support.ingest_service import INTERNAL_TOKEN, ingest

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
TEN_MINUTES = timedelta(minutes=10)
ACME = {"channel": "slack", "source": "T0ACME"}


class Clock:
    def __init__(self) -> None:
        self.now = MONDAY

    def __call__(self) -> datetime:
        return self.now


def metric(name: str) -> float | None:
    return REGISTRY.get_sample_value(f"listeningpost_source_{name}_seconds", ACME)


async def hear(replica: Silences, time: Clock, times: int) -> None:
    for _ in range(times):
        time.now += TEN_MINUTES
        replica.hear("slack", "T0ACME")
        await replica.look()


async def test_a_source_is_silent_once_it_is_longer_than_it_was_wont_to_be(store: Store) -> None:
    time = Clock()
    replica = Silences(store, time)
    await hear(replica, time, 3)
    (learning,) = replica.report()
    assert (learning["limit_s"], learning["is_silent"]) == (None, False)
    assert metric("silence_limit") is None
    await hear(replica, time, 6 * 30)
    (source,) = replica.report()
    assert (source["limit_s"], source["is_silent"]) == (900.0, False)

    time.now += timedelta(minutes=16)
    restarted = Silences(store, time)
    await restarted.look()
    (source,) = restarted.report()
    assert (source["silent_s"], source["is_silent"]) == (960.0, True)
    assert (metric("silent"), metric("silence_limit")) == (960.0, 900.0)
    assert restarted.problem() is None

    restarted.hear("slack", "T0ACME")
    await restarted.look()
    assert restarted.report()[0]["is_silent"] is False


async def test_what_another_replica_heard_is_heard(store: Store) -> None:
    time = Clock()
    one, other = Silences(store, time), Silences(store, time)
    await hear(one, time, 40)
    time.now += timedelta(minutes=14)
    other.hear("slack", "T0ACME")
    await other.look()
    time.now += timedelta(minutes=14)
    await one.look()
    (source,) = one.report()
    assert source["silent_s"] == 14 * 60
    assert source["is_silent"] is False


async def test_what_was_heard_last_is_written_down_at_a_stop(store: Store) -> None:
    replica = Silences(store, Clock())
    await replica.start()
    replica.hear("mail", "mail")
    await replica.stop()
    (row,) = await store.collection("arrivals").find().to_list(None)
    assert (row["channel"], row["heard_at"]) == ("mail", MONDAY)


async def test_a_piece_at_a_door_is_heard_and_tools_are_told(
    kafka: KafkaSettings, mongo: MongoSettings, store: Store, tmp_path: Path
) -> None:
    _, token = await ApiKeyStore(store).create("tests", [Scope.WRITE], source="crm", now=clock.now())
    silent = {"_id": "slack T0ACME", **ACME, "heard_at": MONDAY, "learned_at": MONDAY}
    await store.collection("arrivals").insert_one(silent)
    async with ingest(kafka, mongo, store, tmp_path, **INGEST) as house:
        shown = {"authorization": f"Bearer {INTERNAL_TOKEN}"}
        answer = await house.http.get("/internal/doors", headers=shown)
        (found,) = answer.json()["sources"]
        assert (found["source"], found["limit_s"], found["is_silent"]) == ("T0ACME", None, False)
        sent = await house.http.post(
            "/v1/feedback", json={"text": "Hello"}, headers={"authorization": f"Bearer {token}"}
        )
        assert sent.status_code == 202
    heard = await store.collection("arrivals").find_one({"channel": "rest"})
    assert heard is not None
    assert heard["heard_at"] > clock.now() - TEN_MINUTES
