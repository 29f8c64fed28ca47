"""How many equal rows came before: in little memory, since a file may have tens of millions."""

from __future__ import annotations

from array import array
from typing import Final

_PARTS = 256
_FIRST_SLOTS = 64
_FULL = 0.75
#: Twice the room while that is little; then a quarter more, one part after another.
_LARGE_SLOTS = 8_192
_MOST_COUNTED: Final = 255


class _Part:
    """A table with open addressing: 32 bits of a digest, 16 more, and how often it was seen (0: free)."""

    __slots__ = ("counts", "filled", "marks", "more")

    def __init__(self, slots: int) -> None:
        self.marks = array("I", bytes(4 * slots))
        self.more = array("H", bytes(2 * slots))
        self.counts = bytearray(slots)
        self.filled = 0


class Ordinals:
    """0 for a digest seen first, then 1, 2, …; some 11 bytes a row.

    A row is known again by 56 bits of its digest: among 10 million different ones two are taken for equal in
    one file of 1,400, and then the second has the number 1 whenever the file is read again.
    """

    def __init__(self) -> None:
        self._parts = [_Part(_FIRST_SLOTS) for _ in range(_PARTS)]
        #: Rows that are there more than 255 times: there cannot be many such.
        self._many: dict[int, int] = {}

    def of(self, digest: int) -> int:
        """The ordinal of a row with this digest, of which 64 bits are random."""
        part = self._parts[digest & 0xFF]
        mark, more = digest >> 8 & 0xFFFFFFFF, digest >> 40 & 0xFFFF
        marks, counts = part.marks, part.counts
        slots = len(counts)
        at = mark % slots
        while seen := counts[at]:
            if marks[at] == mark and part.more[at] == more:
                break
            at = at + 1 if at + 1 < slots else 0
        else:
            marks[at], part.more[at], counts[at] = mark, more, 1
            part.filled += 1
            if part.filled > slots * _FULL:
                self._parts[digest & 0xFF] = _larger(part)
            return 0
        if seen < _MOST_COUNTED:
            counts[at] = seen + 1
            return seen
        key = digest & 0xFFFFFFFFFFFFFF
        self._many[key] = seen = self._many.get(key, _MOST_COUNTED - 1) + 1
        return seen


def _larger(old: _Part) -> _Part:
    slots = len(old.counts)
    new = _Part(slots * 2 if slots < _LARGE_SLOTS else slots * 5 // 4)
    marks, more, counts, room = new.marks, new.more, new.counts, len(new.counts)
    for mark, rest, count in zip(old.marks, old.more, old.counts, strict=True):
        if count:
            at = mark % room
            while counts[at]:
                at = at + 1 if at + 1 < room else 0
            marks[at], more[at], counts[at] = mark, rest, count
    new.filled = old.filled
    return new
