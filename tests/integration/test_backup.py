"""Backup and restore on a real database, without services: all of it, at one moment, or nothing."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from shared import clock
from shared.domain.fence import Fence
from shared.errors import DependencyDown
from shared.settings import KafkaSettings
from shared.store.connection import Document, Store
from shared.store.declared import missing
from shared.store.deliveries import DeliveryStore
from shared.store.dump import DUMPED, read, snapshot, split
from shared.store.fence import FenceStore
from shared.store.migrations import Migrator
from shared.store.owners import COLLECTIONS, FENCES, LEASES
from shared.store.schema import SCHEMA
from tests.support.cli import Cli
from tests.support.notifier_house import a_row

NOBODY = {"LISTENINGPOST_CLI__INGEST_URL": "http://127.0.0.1:9"}


def test_every_collection_is_backed_up_but_what_is_of_running_processes() -> None:
    assert set(DUMPED) == {spec.name for spec in COLLECTIONS} - {FENCES.name, LEASES.name}


async def _everything(store: Store) -> dict[str, list[Document]]:
    return {name: await store.db[name].find({}).sort("_id", 1).to_list(None) for name in DUMPED}


async def _fill(store: Store) -> dict[str, list[Document]]:
    """Documents in every collection, without what validators ask for, as an older release may leave them."""
    await Migrator(store).start()
    for name in DUMPED:
        if name != "migrations":
            await store.db[name].insert_many(
                [{"_id": f"{name} {number}", "at": clock.now(), "bytes": b"\x00\xff"} for number in range(3)],
                bypass_document_validation=True,
            )
    return await _everything(store)


def test_what_is_restored_is_what_was_backed_up(cli: Cli) -> None:
    before = asyncio.run(cli.with_store(_fill))
    file = str(cli.home / "backup.zip")
    made = cli("backup", file, env=NOBODY)
    assert made.code == 0, made.err
    assert "after a restore all that Kafka has will be read again" in made.err
    assert cli("backup", file, env=NOBODY).code == 2, "it does not write over a file"

    refused = cli("restore", file, "--no-replay", "--yes", env=NOBODY)
    assert (refused.code, "is not empty" in refused.err) == (1, True)

    async def spoil(store: Store) -> None:
        await store.db["feedback"].delete_many({})
        await store.db["feedback"].insert_one({"_id": "later"}, bypass_document_validation=True)

    asyncio.run(cli.with_store(spoil))
    dry = cli("restore", file, "--no-replay", "--replace", "--dry-run", "--json", env=NOBODY)
    assert (dry.code, dry.json["dry_run"]) == (0, True)
    done = cli("restore", file, "--no-replay", "--replace", "--yes", env=NOBODY)
    assert done.code == 0, done.err
    assert asyncio.run(cli.with_store(_everything)) == before
    assert asyncio.run(cli.with_store(missing)) == [], "indexes and validators are there again"


def test_a_damaged_file_changes_nothing(cli: Cli) -> None:
    before = asyncio.run(cli.with_store(_fill))
    file = cli.home / "backup.zip"
    assert cli("backup", str(file), env=NOBODY).code == 0
    content = bytearray(file.read_bytes())
    content[content.index(b"feedback.bson") + 45] ^= 0xFF
    file.write_bytes(bytes(content))
    refused = cli("restore", str(file), "--no-replay", "--replace", "--yes", env=NOBODY)
    assert (refused.code, "damaged" in refused.err) == (1, True)
    assert asyncio.run(cli.with_store(_everything)) == before


@pytest.mark.parametrize(("further", "is_taken"), [(1, True), (2, False)])
def test_a_backup_of_the_next_release_is_taken_and_of_a_later_one_refused_before_anything_goes(
    cli: Cli, further: int, *, is_taken: bool
) -> None:
    async def of_newer(store: Store) -> None:
        await Migrator(store).start()
        number = {"$set": {"number": SCHEMA + further}}
        await store.db["migrations"].update_one({"_id": "schema"}, number)
        await store.db["erasures"].insert_one({"_id": "e", "marks": [], "asked_at": clock.now()})

    asyncio.run(cli.with_store(of_newer))
    before = asyncio.run(cli.with_store(_everything))
    file = str(cli.home / "backup.zip")
    assert cli("backup", file, env=NOBODY).code == 0
    done = cli("restore", file, "--no-replay", "--replace", "--yes", env=NOBODY)
    assert (done.code == 0, "in a form this one does not know" in done.err) == (is_taken, not is_taken)
    assert asyncio.run(cli.with_store(_everything)) == before


def test_the_spool_comes_back_where_ingest_looks_for_it(cli: Cli) -> None:
    asyncio.run(cli.with_store(_fill))
    spool, back = cli.home / "spool", cli.home / "back"
    (spool / "replica-a").mkdir(parents=True)
    (spool / "replica-a" / "1.spool").write_bytes(b"waits")
    (spool / "replica-a" / "lock").write_bytes(b"")
    file = str(cli.home / "backup.zip")
    assert cli("backup", file, "--spool", str(spool), env=NOBODY).code == 0
    done = cli("restore", file, "--no-replay", "--replace", "--yes", "--spool", str(back), env=NOBODY)
    assert done.code == 0, done.err
    found = {str(path.relative_to(back)) for path in back.rglob("*") if path.is_file()}
    assert found == {"replica-a/1.spool"}
    assert (back / "replica-a" / "1.spool").read_bytes() == b"waits"


def test_what_broke_off_half_way_lets_no_service_start_and_is_run_again(cli: Cli) -> None:
    before = asyncio.run(cli.with_store(_fill))
    file = str(cli.home / "backup.zip")
    assert cli("backup", file, env=NOBODY).code == 0

    async def break_off(store: Store) -> None:
        await FenceStore(store).put(Fence(clock.now(), is_whole=False))
        await store.db["feedback"].delete_many({})
        with pytest.raises(DependencyDown, match="is being restored"):
            await Migrator(store).start()

    asyncio.run(cli.with_store(break_off))
    again = cli("restore", file, "--no-replay", "--yes", env=NOBODY)
    assert again.code == 0, again.err
    assert asyncio.run(cli.with_store(_everything)) == before
    asyncio.run(cli.with_store(lambda store: Migrator(store).start()))


async def test_a_backup_is_of_one_moment(store: Store) -> None:
    async def ids(name: str, session: Any) -> set[str]:  # noqa: ANN401 - the driver's own
        found = [raw async for raw in read(store, name, session)]
        return {part for raw in found for part in (document.hex() for document in split(raw))}

    async def put(name: str) -> None:
        await store.db[name].insert_one({"_id": name}, bypass_document_validation=True)

    await put("feedback")
    async with snapshot(store) as session:
        assert len(await ids("feedback", session)) == 1
        await put("imports")
        assert await ids("imports", session) == set()
    assert len(await ids("imports", None)) == 1


def test_after_a_restore_by_other_means_fence_holds_and_sends_readers_back(
    cli: Cli, kafka: KafkaSettings
) -> None:
    env = NOBODY | {
        "LISTENINGPOST_KAFKA__BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "LISTENINGPOST_KAFKA__TOPIC_PREFIX": kafka.topic_prefix,
    }
    asyncio.run(cli.with_store(lambda store: Migrator(store).start()))

    async def plan(store: Store) -> None:
        await DeliveryStore(store).add([a_row()])

    asyncio.run(cli.with_store(plan))
    assert cli("fence", "--dumped-at", "2999-01-01", env=env).code == 2
    done = cli("fence", "--dumped-at", "2h", "--json", env=env)
    assert done.code == 0, done.err
    assert done.json["held"] == 1
    assert {one["group"] for one in done.json["read_again"]} == {"classifier", "classifier-bulk", "notifier"}
    assert cli("held", "--json").json["held"] == 1
    shown = cli("held")
    assert "held send" in shown.err
    explained = cli("held", "--purpose", "summary", "--json").json["held"]
    assert explained == 0
