"""The drain: oldest first, through outages, past records that nothing can be done with."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from services.ingest.domain.submission import File
from services.ingest.spool.record import decode, encode_piece
from services.ingest.spool.spool import Spool
from shared.events.feedback import Change
from tests.support.ingest_parts import MB, Parts, parts
from tests.support.submissions import COLLEAGUE, screenshot, submission
from tests.support.wait import until


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[Parts]:
    """Kafka is away."""
    async with parts(tmp_path) as made:
        made.kafka.away = True
        yield made


def segments(directory: Path) -> list[Path]:
    return sorted(directory.glob("replica-*/*.segment"))


async def empty(house: Parts) -> bool:
    return house.spool.records == 0


async def test_it_tries_until_it_is_back_and_keeps_the_order(house: Parts) -> None:
    await house.drain.start()
    for number in range(30):
        await house.pipeline.accept([submission(text=f"{number}")])
    await until(lambda: len(house.kafka.calls) >= 4, within_s=20, what="it tries again")
    assert house.spool.records == 30
    house.kafka.away = False
    await until(lambda: empty(house), within_s=20, what="the spool is drained")
    assert house.kafka.texts == [str(number) for number in range(30)]
    assert house.drain.problem() is None


async def test_whoever_is_forgotten_while_it_waits_does_not_come_out_of_it(house: Parts) -> None:
    shown = File("shot.png", "image/png", screenshot(author="her"))
    hers, _ = await house.pipeline.accept([submission(text="hers", files=(shown,)), submission(text="his")])
    assert house.spool.records == 2
    house.barred.add("hers")
    house.kafka.away = False
    await house.drain.start()
    await until(lambda: empty(house), within_s=20, what="the spool is drained")
    assert house.kafka.texts == ["his"]
    assert house.memory.forgotten == [hers.feedback_id], "its attachments were stored before"
    (receipt,) = await house.pipeline.accept([submission(text="hers")])
    assert receipt.is_of_somebody_erased
    assert house.kafka.texts == ["his"]


async def test_one_record_is_enough_to_find_out(house: Parts) -> None:
    await house.pipeline.accept([submission(text=f"{number}") for number in range(20)])
    house.kafka.calls.clear()
    await house.drain.start()
    await until(lambda: len(house.kafka.calls) >= 2, within_s=20, what="it tries again")
    assert {count for _, count in house.kafka.calls} == {1}


async def test_a_damaged_record_is_set_aside_and_the_others_go_on(tmp_path: Path, house: Parts) -> None:
    for number in range(3):
        await house.pipeline.accept([submission(text=f"piece {number}")])
    (path,) = segments(tmp_path)
    content = path.read_bytes()
    path.write_bytes(content.replace(b"piece 1", b"piece ?"))
    house.kafka.away = False
    await house.drain.start()
    await until(lambda: empty(house), within_s=20, what="the spool is drained")
    assert house.kafka.texts == ["piece 0", "piece 2"]
    (aside,) = (tmp_path / "damaged").iterdir()
    assert b"piece ?" in aside.read_bytes()


async def test_a_record_that_nothing_can_be_done_with_stops_nobody(tmp_path: Path, house: Parts) -> None:
    bad = screenshot(author="bad")
    house.memory.unkeepable.add(bad)
    house.memory.away = True
    await house.pipeline.accept([submission(text="before")])
    await house.pipeline.accept([submission(text="bad", files=(File("a.png", "", bad),))])
    await house.pipeline.accept([submission(text="x" * 60)])
    await house.spool.append([b"\0\0\0\x02{}", b"what is this"])
    await house.pipeline.accept([submission(text="after")])
    house.kafka.max_chars = 50
    house.memory.away = house.kafka.away = False
    await house.drain.start()
    await until(lambda: empty(house), within_s=20, what="the spool is drained")
    assert list(dict.fromkeys(house.kafka.texts)) == ["before", "after"]
    assert len(list((tmp_path / "damaged").iterdir())) == 4


async def test_what_another_replica_left_is_drained_too(tmp_path: Path, house: Parts) -> None:
    async with parts(tmp_path) as other:
        other.kafka.away = True
        await other.pipeline.accept([submission(text="from the other")])
    await house.pipeline.accept([submission(text="own")])
    await house.spool.adopt()
    house.kafka.away = False
    await house.drain.start()
    await until(lambda: empty(house), within_s=20, what="the spool is drained")
    assert sorted(house.kafka.texts) == ["from the other", "own"]


async def test_a_deletion_waits_for_the_store(house: Parts) -> None:
    house.memory.away = True
    house.kafka.away = False
    gone = submission(change=Change.DELETED, external_id="1", text="", reported_by=COLLEAGUE)
    (receipt,) = await house.pipeline.accept([gone])
    assert house.kafka.events == []
    house.memory.away = False
    await house.drain.start()
    await until(lambda: empty(house), within_s=20, what="the spool is drained")
    assert house.memory.deleted == [receipt.feedback_id]
    assert house.kafka.events[0].change is Change.DELETED


async def test_a_disk_that_cannot_be_read_is_told(tmp_path: Path, house: Parts) -> None:
    await house.pipeline.accept([submission()])
    for path in segments(tmp_path):
        path.unlink()
    await house.drain.start()
    await until(lambda: house.drain.problem() is not None, within_s=10, what="the drain says so")


async def test_a_piece_comes_out_as_it_went_in(tmp_path: Path) -> None:
    async with parts(tmp_path) as house:
        house.memory.away = True
        files = (File("a.png", "", screenshot()), File("b.txt", "", b"b"))
        await house.pipeline.accept(
            [submission(files=files, confidential=True, reported_by=COLLEAGUE, trace="00-a-b-01")]
        )
        spool: Spool = house.spool
        batch = await spool.oldest(1, MB)
        assert batch is not None
        piece = decode(batch.frames[0].payload or b"").piece
        assert piece is not None
        assert decode(encode_piece(piece)).piece == piece
        assert [each.attachment for each in piece.kept] == list(piece.event.attachments)
        assert piece.sealed is not None
        assert piece.trace == "00-a-b-01"
