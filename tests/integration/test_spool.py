"""The spool on a real file system: what `append` returned from is there, whatever happens afterwards."""

from __future__ import annotations

import asyncio
import errno
import os
import random
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from services.ingest.spool.frame import HEADER_BYTES, MARK_BYTES, pack, read_frames
from services.ingest.spool.group_commit import SpoolFull
from services.ingest.spool.segment import read_raw
from services.ingest.spool.spool import Spool
from shared.errors import ConfigurationError, DependencyDown
from tests.support.spool_writer import number_of
from tests.support.submissions import RECEIVED_AT

QUOTA = 10_000_000
_TOLERANT = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)


@asynccontextmanager
async def spool_at(
    directory: Path, *, quota_bytes: int = QUOTA, segment_bytes: int = 200, at: datetime = RECEIVED_AT
) -> AsyncIterator[Spool]:
    spool = Spool(directory, quota_bytes=quota_bytes, segment_bytes=segment_bytes, now=lambda: at)
    await spool.start()
    try:
        yield spool
    finally:
        await spool.stop()


async def drained(spool: Spool) -> list[bytes | None]:
    """Everything in it, oldest first; None for a damaged stretch."""
    found: list[bytes | None] = []
    while (batch := await spool.oldest(2, 1_000)) is not None:
        found += [frame.payload for frame in batch.frames]
        await spool.discard(batch)
    return found


def segments(directory: Path) -> list[Path]:
    return sorted(directory.glob("replica-*/*.segment"))


def set_aside(directory: Path) -> list[bytes]:
    return [path.read_bytes() for path in (directory / "damaged").iterdir()]


def replicas(directory: Path) -> int:
    return len(list(directory.glob("replica-*")))


async def test_what_goes_in_comes_out_oldest_first(tmp_path: Path) -> None:
    payloads = [b"%d" % number * 30 for number in range(20)]
    async with spool_at(tmp_path) as spool:
        for payload in payloads:
            await spool.append([payload])
        assert spool.records == 20
        assert len(segments(tmp_path)) > 3
        assert await drained(spool) == payloads
        assert (spool.records, spool.size_bytes, segments(tmp_path)) == (0, 0, [])


async def test_it_can_be_filled_again_after_it_was_emptied(tmp_path: Path) -> None:
    async with spool_at(tmp_path, segment_bytes=10_000) as spool:
        for payload in (b"a", b"b"):
            await spool.append([payload])
            assert await drained(spool) == [payload]


async def test_it_survives_a_restart_half_drained(tmp_path: Path) -> None:
    async with spool_at(tmp_path, segment_bytes=60) as spool:
        for payload in (b"a" * 40, b"b" * 40, b"c" * 40):
            await spool.append([payload])
        batch = await spool.oldest(1, 1_000)
        assert batch is not None
        await spool.discard(batch)
    async with spool_at(tmp_path) as spool:
        assert spool.records == 2
        assert await drained(spool) == [b"b" * 40, b"c" * 40]


async def test_a_clean_stop_of_an_empty_spool_leaves_nothing(tmp_path: Path) -> None:
    async with spool_at(tmp_path) as spool:
        await spool.append([b"a"])
        await drained(spool)
    assert replicas(tmp_path) == 0


async def test_what_comes_in_while_it_is_drained_is_not_lost(tmp_path: Path) -> None:
    async with spool_at(tmp_path, segment_bytes=300) as spool:
        found: list[bytes | None] = []

        async def drain() -> None:
            while len(found) < 200:
                await spool.filled()
                found.extend(await drained(spool))

        draining = asyncio.create_task(drain())
        for number in range(0, 200, 4):
            await asyncio.gather(*(spool.append([b"%d" % (number + offset)]) for offset in range(4)))
        await asyncio.wait_for(draining, 20)
        assert sorted(int(payload) for payload in found if payload) == list(range(200))


@pytest.mark.parametrize("left", [1, HEADER_BYTES - 1, HEADER_BYTES, HEADER_BYTES + 3])
async def test_a_torn_last_record_is_cut_off(tmp_path: Path, left: int) -> None:
    async with spool_at(tmp_path, segment_bytes=10_000) as spool:
        await spool.append([b"whole", b"whole too", b"torn"])
    (path,) = segments(tmp_path)
    torn_at = path.stat().st_size - HEADER_BYTES - len(b"torn")
    os.truncate(path, torn_at + left)
    with capture_logs() as logs:
        async with spool_at(tmp_path) as spool:
            assert path.stat().st_size == torn_at
            assert await drained(spool) == [b"whole", b"whole too"]
    (line,) = [line for line in logs if line["event"] == "spool_torn_record_cut"]
    assert line["size_bytes"] == left


async def test_zeros_after_a_loss_of_power_are_cut_off(tmp_path: Path) -> None:
    async with spool_at(tmp_path, segment_bytes=10_000) as spool:
        await spool.append([b"whole"])
    (path,) = segments(tmp_path)
    with path.open("ab") as file:
        file.write(b"\0" * 4_096)
    async with spool_at(tmp_path) as spool:
        assert await drained(spool) == [b"whole"]


@pytest.mark.parametrize(
    "offset", [0, MARK_BYTES, MARK_BYTES + 9, HEADER_BYTES - 1, HEADER_BYTES, HEADER_BYTES + 3]
)
async def test_a_damaged_record_is_reported_and_its_neighbours_kept(tmp_path: Path, offset: int) -> None:
    async with spool_at(tmp_path, segment_bytes=10_000) as spool:
        await spool.append([b"first", b"second", b"third"])
    (path,) = segments(tmp_path)
    content = bytearray(path.read_bytes())
    start = HEADER_BYTES + len(b"first")
    content[start + offset] ^= 0xFF
    path.write_bytes(content)
    async with spool_at(tmp_path) as spool:
        assert spool.records == 3
        batch = await spool.oldest(10, 1_000)
        assert batch is not None
        assert [frame.payload for frame in batch.frames] == [b"first", None, b"third"]
        damaged = read_raw(batch.segment, batch.frames[1])
        await spool.set_aside(batch, batch.frames[1], "damaged")
        await spool.set_aside(batch, batch.frames[1], "damaged")
        assert set_aside(tmp_path) == [damaged]
        assert damaged == bytes(content[start : start + HEADER_BYTES + len(b"second")])


async def test_a_damaged_last_record_is_not_taken_for_a_torn_one(tmp_path: Path) -> None:
    async with spool_at(tmp_path, segment_bytes=10_000) as spool:
        await spool.append([b"first", b"the last"])
    (path,) = segments(tmp_path)
    content = bytearray(path.read_bytes())
    start = HEADER_BYTES + len(b"first")
    content[start] ^= 0xFF
    path.write_bytes(content)
    async with spool_at(tmp_path) as spool:
        assert await drained(spool) == [b"first"]
    assert set_aside(tmp_path) == [bytes(content[start:])]


async def test_nobody_can_put_a_record_into_an_attachment(tmp_path: Path) -> None:
    """The search for the next intact record looks for a mark that only the file's name tells."""
    forged = pack(b"LPSPOOL1", b"forged", 1)
    async with spool_at(tmp_path, segment_bytes=10_000) as spool:
        await spool.append([b"x" + forged + forged, b"true"])
    (path,) = segments(tmp_path)
    content = bytearray(path.read_bytes())
    content[0] ^= 0xFF
    path.write_bytes(content)
    async with spool_at(tmp_path) as spool:
        assert await drained(spool) == [None, b"true"]


@_TOLERANT
@given(
    payloads=st.lists(st.binary(max_size=60), min_size=1, max_size=8),
    at=st.integers(min_value=0),
    noise=st.binary(min_size=1, max_size=40),
)
def test_damage_takes_only_the_records_it_hits(
    tmp_path: Path, payloads: list[bytes], at: int, noise: bytes
) -> None:
    mark = bytes(range(MARK_BYTES))
    frames = [pack(mark, payload, number) for number, payload in enumerate(payloads, start=1)]
    content = bytearray(b"".join(frames))
    at %= len(content)
    noise = noise[: len(content) - at]
    content[at : at + len(noise)] = noise
    path = tmp_path / "file"
    path.write_bytes(content)
    with path.open("rb") as file:
        read = {frame.at_ms: frame.payload for frame in read_frames(file, mark, 0, len(content))}
    start = 0
    for number, (payload, frame) in enumerate(zip(payloads, frames, strict=True), start=1):
        if content[start : start + len(frame)] == frame:
            assert read.get(number) == payload
        start += len(frame)


async def test_a_full_spool_says_so_and_takes_again_when_there_is_room(tmp_path: Path) -> None:
    async with spool_at(tmp_path, quota_bytes=500) as spool:
        await spool.append([b"a" * 400])
        with pytest.raises(SpoolFull) as refused:
            await spool.append([b"b" * 100])
        assert isinstance(refused.value, DependencyDown)
        assert "full" in (spool.problem() or "")
        assert await drained(spool) == [b"a" * 400]
        assert spool.problem() is None
        await spool.append([b"b" * 100])


async def test_those_who_write_at_once_cannot_exceed_the_quota_together(tmp_path: Path) -> None:
    async with spool_at(tmp_path, quota_bytes=1_000) as spool:
        results = await asyncio.gather(
            *(spool.append([b"x" * 200]) for _ in range(10)), return_exceptions=True
        )
        assert sum(isinstance(result, SpoolFull) for result in results) == 6
        assert spool.records == 4


@pytest.mark.parametrize(
    ("number", "kind"), [(errno.ENOSPC, SpoolFull), (errno.EIO, DependencyDown), (errno.EDQUOT, SpoolFull)]
)
async def test_a_disk_that_fails_refuses_what_it_cannot_keep_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, kind: type[DependencyDown]
) -> None:
    async with spool_at(tmp_path, segment_bytes=10_000) as spool:
        await spool.append([b"before"])

        def failing(_descriptor: int) -> None:
            raise OSError(number, os.strerror(number))

        with monkeypatch.context() as patched:
            patched.setattr(os, "fsync", failing)
            results = await asyncio.gather(
                *(spool.append([b"lost %d" % n]) for n in range(3)), return_exceptions=True
            )
        assert [type(result) for result in results] == [kind] * 3
        await spool.append([b"after"])
        assert await drained(spool) == [b"before", b"after"]


async def test_many_waiting_writers_share_an_fsync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = 0
    real = os.fsync

    def counted(descriptor: int) -> None:
        nonlocal calls
        calls += 1
        real(descriptor)

    async with spool_at(tmp_path, segment_bytes=QUOTA) as spool:
        await spool.append([b"first"])
        monkeypatch.setattr(os, "fsync", counted)
        await asyncio.gather(*(spool.append([b"%d" % number]) for number in range(300)))
        assert spool.records == 301
    assert calls <= 5


async def test_its_age_is_that_of_the_oldest_record(tmp_path: Path) -> None:
    now = RECEIVED_AT
    spool = Spool(tmp_path, quota_bytes=QUOTA, segment_bytes=10_000, now=lambda: now)
    await spool.start()
    assert spool.oldest_s == 0
    await spool.append([b"a"])
    now += timedelta(seconds=60)
    await spool.append([b"b"])
    assert spool.oldest_s == 60
    batch = await spool.oldest(1, 1_000)
    assert batch is not None
    await spool.discard(batch)
    await spool.oldest(1, 1_000)
    assert spool.oldest_s == 0
    await spool.stop()


async def test_two_replicas_share_a_volume_and_nothing_else(tmp_path: Path) -> None:
    async with spool_at(tmp_path) as one, spool_at(tmp_path) as other:
        await one.append([b"one"])
        await other.append([b"other"])
        await one.adopt()
        assert (one.records, other.records) == (1, 1)
        assert replicas(tmp_path) == 2
        assert await drained(one) == [b"one"]
        assert await drained(other) == [b"other"]


async def test_a_replica_takes_over_what_another_left(tmp_path: Path) -> None:
    async with spool_at(tmp_path, at=RECEIVED_AT + timedelta(seconds=1)) as survivor:
        async with spool_at(tmp_path) as leaver:
            await leaver.append([b"left behind"])
        await survivor.append([b"own"])
        await survivor.adopt()
        assert survivor.records == 2
        assert await drained(survivor) == [b"left behind", b"own"]
        assert replicas(tmp_path) == 1


async def test_a_directory_that_cannot_be_used_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ConfigurationError, match="SPOOL__DIRECTORY"):
        await Spool(tmp_path / "file", quota_bytes=QUOTA, segment_bytes=1_000).start()


async def test_nothing_is_taken_before_it_is_started(tmp_path: Path) -> None:
    with pytest.raises(DependencyDown):
        await Spool(tmp_path, quota_bytes=QUOTA, segment_bytes=1_000).append([b"x"])


@pytest.mark.parametrize("round_", range(4))
async def test_a_writer_killed_in_the_middle_has_kept_what_it_said(tmp_path: Path, round_: int) -> None:
    chance = random.Random(round_)
    with subprocess.Popen(  # noqa: ASYNC220 - it is killed, nobody waits for it
        [sys.executable, "-m", "tests.support.spool_writer", str(tmp_path)],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    ) as writer:
        assert writer.stdout is not None
        told = [int(writer.stdout.readline()) for _ in range(chance.randrange(5, 60))]
        writer.kill()
        told += [int(line) for line in writer.stdout if line.endswith(b"\n")]
    async with spool_at(tmp_path) as spool:
        numbers = [number_of(payload or b"") for payload in await drained(spool)]
    assert numbers == list(range(len(numbers)))
    assert len(numbers) > max(told)
