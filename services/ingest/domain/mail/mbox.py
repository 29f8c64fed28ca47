"""Many mails in one file (RFC 4155), one after the other, each as it was before it was put there.

A line of a mail that begins with "From " is written with a ">" before it, and so are those that began with
one; it is taken off again here ("mboxrd"), since who a mail is depends on its words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

MEDIA_TYPE: Final = "application/mbox"
#: "From ada@customer.example Mon May  4 11:00:00 2026": without the date it may begin a sentence.
_DATED = re.compile(rb"From .*\d{1,2}:\d{2}.*\d{4}|From .*\d{4}.*\d{1,2}:\d{2}")
_QUOTED = re.compile(rb">+From ")
_TO_QUOTE = re.compile(rb"^(?=>*From )", re.MULTILINE)
_OURS: Final = b"From import Thu Jan  1 00:00:00 1970\n"
_BLANK: Final = (b"\n", b"\r\n")


@dataclass(frozen=True, slots=True)
class Boxed:
    """One mail of the file. Of one that is larger than was asked for, `raw` is the beginning."""

    raw: bytes
    size_bytes: int

    @property
    def is_whole(self) -> bool:
        return len(self.raw) == self.size_bytes


def split(lines: Iterable[bytes], *, max_bytes: int) -> Iterator[Boxed]:
    """The mails in `lines` (with their ends), none of them held further than `max_bytes`.

    What stands before the first "From " line is nobody's mail and left out. Where the file begins with one
    that has no date, every "From " after an empty line begins a mail; else those with a date do.
    """
    held: list[bytes] | None = None
    size = kept = 0
    after_blank, dated = True, True
    for number, line in enumerate(lines):
        if line.startswith(b"From ") and (not number or _DATED.match(line) or (after_blank and not dated)):
            if held is not None:
                yield _boxed(held, size)
            elif not number:
                dated = _DATED.match(line) is not None
            held, size, kept = [], 0, 0
            continue
        after_blank = line in _BLANK
        if held is None:
            continue
        own = line[1:] if line.startswith(b">") and _QUOTED.match(line) else line
        size += len(own)
        if kept + len(own) <= max_bytes and kept == size - len(own):
            held.append(own)
            kept += len(own)
    if held is not None:
        yield _boxed(held, size)


def join(mails: Iterable[bytes]) -> bytes:
    """`mails` as one file, from which `split` makes them again."""
    return b"".join(_OURS + _TO_QUOTE.sub(b">", mail) + b"\n\n" for mail in mails)


def _boxed(held: list[bytes], size: int) -> Boxed:
    """Without the empty line that the file has between two."""
    if held and held[-1] in _BLANK and sum(map(len, held)) == size:
        size -= len(held.pop())
    return Boxed(b"".join(held), size)
