"""One record in a segment file, so framed that damage is noticed and does not reach its neighbours.

A frame is mark, time, length, CRC of the payload, CRC of this header; then the payload. The header has a CRC
of its own because a wrong length would otherwise take the rest of the file along: past a broken header the
next intact one is looked for. The mark is random and of this one file, so that nobody can put a frame of
his own into an attachment and wait for the search to find it.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from struct import Struct
from typing import BinaryIO

MARK_BYTES = 8
_HEADER = Struct(f">{MARK_BYTES}sQII")
_CRC = Struct(">I")
HEADER_BYTES = _HEADER.size + _CRC.size
_SEARCH_BYTES = 1_048_576


@dataclass(frozen=True, slots=True)
class Frame:
    """Bytes `start` to `end` of the file. `payload` is None when they are damaged; `at_ms` is then 0."""

    start: int
    end: int
    at_ms: int
    payload: bytes | None


def pack(mark: bytes, payload: bytes, at_ms: int) -> bytes:
    header = _HEADER.pack(mark, at_ms, len(payload), zlib.crc32(payload))
    return b"".join((header, _CRC.pack(zlib.crc32(header)), payload))


def read_frames(file: BinaryIO, mark: bytes, start: int, end: int) -> Iterator[Frame]:
    """The frames between two offsets, damaged stretches among them.

    What is not yielded up to `end` is a torn tail: a record whose writing was cut short, so nobody was told
    that it is kept.
    """
    position = start
    while position < end:
        header = _header(file, mark, position)
        if header is None:
            intact = _next_intact(file, mark, position + 1, end)
            if intact is None:
                return
            yield Frame(position, intact, 0, None)
            position = intact
            continue
        at_ms, length, crc = header
        after = position + HEADER_BYTES + length
        if after > end:
            return
        payload = file.read(length)
        good = zlib.crc32(payload) == crc
        yield Frame(position, after, at_ms if good else 0, payload if good else None)
        position = after


def _header(file: BinaryIO, mark: bytes, position: int) -> tuple[int, int, int] | None:
    """Time, length and payload CRC of an intact header at `position`; the file then stands behind it."""
    file.seek(position)
    raw = file.read(HEADER_BYTES)
    header = raw[: _HEADER.size]
    if len(raw) < HEADER_BYTES or not raw.startswith(mark):
        return None
    if _CRC.unpack(raw[_HEADER.size :])[0] != zlib.crc32(header):
        return None
    _, at_ms, length, crc = _HEADER.unpack(header)
    return at_ms, length, crc


def _next_intact(file: BinaryIO, mark: bytes, position: int, end: int) -> int | None:
    """Where the next intact header begins, from `position` on."""
    while position < end:
        file.seek(position)
        window = file.read(min(_SEARCH_BYTES, end - position))
        found = window.find(mark)
        if found < 0:
            # The mark may lie across two windows.
            position += max(1, len(window) - MARK_BYTES + 1)
        elif _header(file, mark, position + found) is not None:
            return position + found
        else:
            position += found + 1
    return None
