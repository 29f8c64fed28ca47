"""One append-only file of the spool, `<creation, ms>-<number>-<mark>.segment`. Blocking: for threads."""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from services.ingest.spool.frame import HEADER_BYTES, MARK_BYTES, Frame, pack, read_frames

SUFFIX = ".segment"


@dataclass(slots=True, eq=False)
class Segment:
    """`size_bytes` is what is durable; before `position_bytes` it is drained; `records` is what is left."""

    path: Path
    size_bytes: int = 0
    position_bytes: int = 0
    records: int = 0
    oldest_ms: int = 0

    @property
    def drained(self) -> bool:
        return self.position_bytes >= self.size_bytes

    @property
    def mark(self) -> bytes:
        """The mark its frames begin with: in the name, where damage to the content does not reach it."""
        return bytes.fromhex(self.path.stem.rpartition("-")[2])


def segment_name(at_ms: int, number: int) -> str:
    """Sorts by age, across the directories of several replicas as well."""
    return f"{at_ms:014d}-{number:06d}-{secrets.token_hex(MARK_BYTES)}{SUFFIX}"


def recover(path: Path) -> tuple[Segment, bytes]:
    """The segment as a crash left it, and what was cut off its end: a torn record, as a rule."""
    segment = Segment(path)
    with path.open("r+b") as file:
        end = file.seek(0, os.SEEK_END)
        for frame in read_frames(file, segment.mark, 0, end):
            segment.records += 1
            segment.size_bytes = frame.end
            segment.oldest_ms = segment.oldest_ms or frame.at_ms
        file.seek(segment.size_bytes)
        tail = file.read()
        if tail:
            file.truncate(segment.size_bytes)
            os.fsync(file.fileno())
    return segment, tail


def is_torn(segment: Segment, tail: bytes) -> bool:
    """A write was cut short, so that nobody was told it is kept. Otherwise it is a record that was damaged.

    What a loss of power leaves of an unfinished write may be zeros.
    """
    return len(tail) < HEADER_BYTES or tail.startswith(segment.mark) or not tail.strip(b"\0")


def read(segment: Segment, max_records: int, max_bytes: int) -> list[Frame]:
    """The next frames behind `position_bytes`: at least one, unless the segment is drained."""
    frames: list[Frame] = []
    with segment.path.open("rb") as file:
        for frame in read_frames(file, segment.mark, segment.position_bytes, segment.size_bytes):
            frames.append(frame)
            if len(frames) >= max_records or frame.end - segment.position_bytes >= max_bytes:
                break
    return frames


def read_raw(segment: Segment, frame: Frame) -> bytes:
    """A frame's bytes as they lie in the file, damaged or not."""
    with segment.path.open("rb") as file:
        file.seek(frame.start)
        return file.read(frame.end - frame.start)


class SegmentWriter:
    """Appends to a segment of its own. What `append` returns from is on the disk."""

    def __init__(self, path: Path) -> None:
        """The file is new, and its directory knows it for good. Raises OSError."""
        self.segment = Segment(path)
        self._file = path.open("xb", buffering=0)
        sync_directory(path.parent)

    def append(self, payloads: Sequence[bytes], at_ms: int) -> int:
        """Returns how many bytes were added. Raises OSError; then none were, and the writer is used up.

        After a failed fsync nobody knows what of the file is on the disk: go on in a new one.
        """
        mark = self.segment.mark
        added = 0
        try:
            for payload in payloads:
                added += self._write(pack(mark, payload, at_ms))
            os.fsync(self._file.fileno())
        except OSError:
            os.ftruncate(self._file.fileno(), self.segment.size_bytes)
            raise
        return added

    def close(self) -> None:
        self._file.close()

    def _write(self, frame: bytes) -> int:
        view = memoryview(frame)
        while view:
            view = view[self._file.write(view) :]
        return len(frame)


def sync_directory(directory: Path) -> None:
    """Make what was created in `directory` survive a loss of power."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
