"""All of a replica's spool: durable appends within a quota, and out again oldest first.

State lives in the event loop, files are touched in threads. Only the newest segment is ever written; all
others are only read and then removed, and of the newest only what is durable is read. So reader and writer
never meet.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog

from services.ingest.spool import shelf as shelves
from services.ingest.spool.frame import HEADER_BYTES, Frame
from services.ingest.spool.group_commit import GroupCommit, SpoolFull
from services.ingest.spool.segment import (
    Segment,
    SegmentWriter,
    is_torn,
    read,
    read_raw,
    recover,
    segment_name,
)
from services.ingest.spool.shelf import Shelf
from shared import clock
from shared.errors import ConfigurationError, DependencyDown
from shared.telemetry.metrics import (
    DISK_USED,
    SPOOL_BYTES,
    SPOOL_DAMAGED,
    SPOOL_OLDEST_SECONDS,
    SPOOL_QUOTA_BYTES,
    SPOOL_RECORDS,
)

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Batch:
    """The oldest records. Damaged ones have no payload."""

    segment: Segment
    frames: Sequence[Frame]


def _recovered(shelf: Shelf, volume: Path) -> list[Segment]:
    """The segments of a dead replica that have something in them."""
    found = []
    for path in shelf.segments():
        segment, tail = recover(path)
        if tail and is_torn(segment, tail):
            _log.warning("spool_torn_record_cut", path=str(path), size_bytes=len(tail))
        elif tail:
            _set_aside(volume, f"{path.stem}-{segment.size_bytes}", tail, "damaged")
        if segment.size_bytes:
            found.append(segment)
        else:
            path.unlink()
    return found


def _set_aside(volume: Path, name: str, raw: bytes, why: str) -> None:
    if shelves.set_aside(volume, name, raw):
        SPOOL_DAMAGED.inc()
        _log.error("spool_record_set_aside", why=why, size_bytes=len(raw), name=name)


class Spool:
    """A Component. It takes pieces as long as it is ready, whatever else is away."""

    name = "spool"

    def __init__(
        self,
        directory: Path,
        *,
        quota_bytes: int,
        segment_bytes: int,
        now: Callable[[], datetime] = clock.now,
    ) -> None:
        self._directory = directory
        self._quota_bytes = quota_bytes
        self._segment_bytes = segment_bytes
        self._now = now
        self._commit = GroupCommit(self._write)
        self._file = asyncio.Lock()
        self._shelves: list[Shelf] = []
        self._segments: list[Segment] = []
        self._writer: SegmentWriter | None = None
        self._number = 0
        self._reserved_bytes = 0
        self._full = False
        self._filled = asyncio.Event()

    async def start(self) -> None:
        """Locks a directory and takes over what dead replicas left. Raises ConfigurationError."""
        try:
            await asyncio.to_thread(self._directory.mkdir, parents=True, exist_ok=True)
            await self.adopt()
            if not self._shelves:
                self._shelves.append(await asyncio.to_thread(shelves.make, self._directory))
        except OSError as error:
            variable = "LISTENINGPOST_INGEST__SPOOL__DIRECTORY"
            raise ConfigurationError(f"{variable}: cannot be used ({error.strerror})") from None
        SPOOL_OLDEST_SECONDS.set_function(lambda: self.oldest_s)
        SPOOL_QUOTA_BYTES.set(self._quota_bytes)
        DISK_USED.labels("spool").set_function(self._disk_used)

    async def stop(self) -> None:
        """What waits is written; what is not drained stays for the next replica."""
        await self._commit.settled()
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        for shelf in self._shelves:
            await asyncio.to_thread(shelf.remove if not shelf.segments() else shelf.release)
        self._shelves = []

    def problem(self) -> str | None:
        return f"the spool is full ({self.size_bytes} bytes)" if self._full else None

    @property
    def records(self) -> int:
        return sum(segment.records for segment in self._segments)

    @property
    def size_bytes(self) -> int:
        return sum(segment.size_bytes - segment.position_bytes for segment in self._segments)

    @property
    def oldest_s(self) -> float:
        """The age of the oldest record; 0 when there is none."""
        waiting = [segment.oldest_ms for segment in self._segments if segment.records and segment.oldest_ms]
        return max(0.0, self._now().timestamp() - min(waiting) / 1000) if waiting else 0.0

    def _disk_used(self) -> float:
        disk = shutil.disk_usage(self._directory)
        # As df says it: what is kept back for the system cannot be had.
        return disk.used / (disk.used + disk.free)

    async def append(self, payloads: Sequence[bytes]) -> None:
        """They are on the disk, all of them. Raises SpoolFull or DependencyDown; then none of them counts."""
        if not self._shelves:
            raise DependencyDown("spool", "it is not started")
        size_bytes = sum(len(payload) + HEADER_BYTES for payload in payloads)
        if self._on_disk_bytes() + self._reserved_bytes + size_bytes > self._quota_bytes:
            self._full = True
            raise SpoolFull(f"its quota of {self._quota_bytes} bytes is used up")
        self._reserved_bytes += size_bytes
        try:
            await self._commit.append(payloads)
        except SpoolFull:
            self._full = True
            raise
        finally:
            self._reserved_bytes -= size_bytes
        self._full = False

    async def filled(self) -> None:
        """Return when there is something in it."""
        await self._filled.wait()

    async def oldest(self, max_records: int, max_bytes: int) -> Batch | None:
        """The oldest records, up to a limit and at least one; None when the spool is empty."""
        for segment in self._segments:
            if not segment.drained:
                frames = await asyncio.to_thread(read, segment, max_records, max_bytes)
                segment.oldest_ms = frames[0].at_ms or segment.oldest_ms
                return Batch(segment, frames)
        return None

    async def discard(self, batch: Batch) -> None:
        """They are where they belong; a segment of which nothing is left is removed."""
        segment = batch.segment
        segment.position_bytes = batch.frames[-1].end
        segment.records -= len(batch.frames)
        if segment.drained:
            await self._remove(segment)
        self._full = False
        self._changed()

    async def set_aside(self, batch: Batch, frame: Frame, why: str) -> None:
        """A record that cannot be drained is kept under `damaged/`, for people to see. May be repeated."""
        raw = await asyncio.to_thread(read_raw, batch.segment, frame)
        name = f"{batch.segment.path.stem}-{frame.start}"
        await asyncio.to_thread(_set_aside, self._directory, name, raw, why)

    async def adopt(self) -> None:
        """Take over what replicas left that are gone. Raises OSError."""
        for shelf in await asyncio.to_thread(shelves.orphans, self._directory):
            found = await asyncio.to_thread(_recovered, shelf, self._directory)
            # From here to the end of the round nobody else runs: a shelf is never known without its segments.
            self._shelves.append(shelf)
            self._segments = sorted(self._segments + found, key=lambda segment: segment.path.name)
            self._changed()
            if found:
                records = sum(segment.records for segment in found)
                _log.info("spool_adopted", directory=shelf.directory.name, records=records)
        await self._remove_empty_shelves()

    async def _write(self, payloads: Sequence[bytes]) -> None:
        at_ms = int(self._now().timestamp() * 1000)
        async with self._file:
            try:
                added = await asyncio.to_thread(self._append, payloads, at_ms)
            except OSError:
                self._abandon_writer()
                raise
            assert self._writer is not None  # noqa: S101 - `_append` has just used it
            segment = self._writer.segment
            if not segment.size_bytes:
                self._segments.append(segment)
            if not segment.records:
                segment.oldest_ms = at_ms
            segment.size_bytes += added
            segment.records += len(payloads)
        self._changed()

    def _append(self, payloads: Sequence[bytes], at_ms: int) -> int:
        if self._writer is not None and self._writer.segment.size_bytes >= self._segment_bytes:
            self._writer.close()
            self._writer = None
        if self._writer is None:
            self._number += 1
            name = segment_name(at_ms, self._number)
            self._writer = SegmentWriter(self._shelves[0].directory / name)
        return self._writer.append(payloads, at_ms)

    def _abandon_writer(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()
            if not writer.segment.size_bytes:
                writer.segment.path.unlink(missing_ok=True)

    async def _remove(self, segment: Segment) -> None:
        async with self._file:
            if not segment.drained:
                return  # written to since
            if self._is_written(segment):
                self._abandon_writer()
            self._segments.remove(segment)
            await asyncio.to_thread(segment.path.unlink, missing_ok=True)
        await self._remove_empty_shelves()

    async def _remove_empty_shelves(self) -> None:
        """Those of others; the first is our own."""
        used = {segment.path.parent for segment in self._segments}
        for shelf in [shelf for shelf in self._shelves[1:] if shelf.directory not in used]:
            self._shelves.remove(shelf)
            await asyncio.to_thread(shelf.remove)

    def _is_written(self, segment: Segment) -> bool:
        return self._writer is not None and self._writer.segment is segment

    def _on_disk_bytes(self) -> int:
        return sum(segment.size_bytes for segment in self._segments)

    def _changed(self) -> None:
        SPOOL_RECORDS.set(self.records)
        SPOOL_BYTES.set(self.size_bytes)
        if self.records:
            self._filled.set()
        else:
            self._filled.clear()
