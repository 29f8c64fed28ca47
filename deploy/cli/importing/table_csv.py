"""Rows of a CSV file, however it is written down: one at a time, and no broken one costs its neighbours."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain, islice
from operator import itemgetter
from typing import Any, Final

from deploy.cli.importing.dialect import NAMES, NOTHING, Dialect, dialect_of, has_header, rows_of
from deploy.cli.importing.encoding import encoding_of, known
from deploy.cli.importing.opened import Opened
from deploy.cli.importing.record import Fault, Row
from deploy.cli.output import ExitCode, Failed

#: No cell is longer, so that a quotation mark that nobody closes does not swallow the file and the memory.
_MAX_CELL_CHARS = 1_048_576
_MAX_LINE_CHARS = 4_194_304
_SAMPLE_CHARS = 262_144
_MOST_SAMPLES = 200
_CELL_END: Final = "\x1f"
_ROW_END: Final = "\x1e"
_UNCLOSED: Final = Fault(
    "", "a quotation mark in it is never closed", "Close it, or double it within a text."
)
_WIDER: Final = Fault(
    "",
    "it has more cells than there are columns",
    "Put quotation marks around the cell that has the delimiter in it.",
)
_BROKEN: Final[list[str]] = []


class CsvReader:
    """See `Reader`. Columns without a header are called by their numbers."""

    format = "csv"

    def __init__(
        self, opened: Opened, *, encoding: str | None, delimiter: str | None, header: bool | None
    ) -> None:
        self._opened = opened
        self.size = opened.size
        self.encoding = known(encoding) if encoding else encoding_of(opened.stream())
        sample, is_all = self._sample()
        found = dialect_of(sample, is_all=is_all)
        self.dialect = Dialect(_delimiter(delimiter), found.skip) if delimiter else found
        first = rows_of(
            "".join(sample.splitlines(keepends=True)[found.skip :]), self.dialect.delimiter, is_all=is_all
        )
        if not first:
            raise Failed(
                f"there is no row in {opened.path}", "look at --encoding and --delimiter", ExitCode.USAGE
            )
        self.header = has_header(first) if header is None else header
        self.columns = names_of(first[0], numbered=not self.header)
        self._width = len(self.columns)
        self.samples = list(islice((row for row in self.rows() if row.fault is None), _MOST_SAMPLES))
        ends = NAMES.get(self.dialect.delimiter, repr(self.dialect.delimiter))
        self.notes = [
            self.encoding.removesuffix("-sig"),
            "one column" if self.dialect.delimiter == NOTHING else f"cells end with a {ends}",
        ]
        if not self.header:
            self.notes.append("there is no header row: columns have numbers (--header if there is one)")

    def rows(self) -> Iterator[Row]:
        csv.field_size_limit(_MAX_CELL_CHARS)
        number, waiting = 0, self.header
        source: Iterable[str] = self._lines()
        while True:
            held: list[str] = []
            feed = _Feed(source, held)
            reader = csv.reader(feed, delimiter=self.dialect.delimiter)
            while (cells := _next(reader)) is not None:
                number += 1
                # A record ends with its line: where it ended with the file, a quotation mark is open.
                if cells is _BROKEN or feed.ended:
                    yield Row(number, [held[0].rstrip("\r\n")], _UNCLOSED)
                    break
                held.clear()
                if not any(cells):
                    continue
                if waiting:
                    waiting = False
                elif len(cells) == self._width or self._fits(cells):
                    yield Row(number, cells)
                else:
                    yield Row(number, cells, _WIDER)
            else:
                return
            # Of a record that cannot be right, the second line is read anew.
            source = chain(held[1:], feed.rest())

    def _fits(self, cells: list[str]) -> bool:
        """Cells that were left out are there and empty; that there are too many is said, if one has words."""
        missing = self._width - len(cells)
        if missing < 0 and any(cells[self._width :]):
            return False
        cells[self._width :] = [""] * missing
        return True

    def position(self) -> int:
        return self._opened.position()

    def getter(self, column: int) -> Callable[[Any], str]:
        return itemgetter(column)

    def digest_of(self, rows: Sequence[Any]) -> bytes:
        return digest_of_cells(rows)

    def _lines(self) -> Iterator[str]:
        text = io.TextIOWrapper(self._opened.stream(), self.encoding, "surrogateescape", newline="")
        lines = iter(partial(text.readline, _MAX_LINE_CHARS), "")
        return islice(lines, self.dialect.skip, None)

    def _sample(self) -> tuple[str, bool]:
        """The beginning as text, and whether that is all."""
        text = io.TextIOWrapper(self._opened.stream(), self.encoding, "surrogateescape", newline="")
        sample = text.read(_SAMPLE_CHARS).replace("\0", "")
        return sample, not text.read(1)


def _next(reader: Iterator[list[str]]) -> list[str] | None:
    """The next record, `_BROKEN` for one that cannot be read, None at the end."""
    try:
        return next(reader)
    except StopIteration:
        return None
    except csv.Error:
        return _BROKEN


class _Feed:
    """Lines on their way to the parser: those of the record it is at are in `held`, without NULs."""

    def __init__(self, source: Iterable[str], held: list[str]) -> None:
        self.ended = False
        self._source = iter(source)
        self._held = held

    def __iter__(self) -> Iterator[str]:
        held = self._held
        for line in self._source:
            clean = line.replace("\0", "") if "\0" in line else line
            held.append(clean)
            yield clean
        self.ended = True

    def rest(self) -> Iterator[str]:
        return self._source


def _delimiter(given: str) -> str:
    named = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "bar": "|", "none": NOTHING}
    delimiter = named.get(given.lower(), given)
    if len(delimiter) != 1:
        raise Failed(f"--delimiter {given!r} is not one character", "like ; or tab", ExitCode.USAGE)
    return delimiter


def digest_of_cells(rows: Sequence[Sequence[str]]) -> bytes:
    """All that is in the cells of `rows`, the same for one row after the other and for many at once."""
    return "".join([_CELL_END.join(cells) + _ROW_END for cells in rows]).encode("utf-8", "surrogatepass")


def names_of(first: list[str], *, numbered: bool) -> tuple[str, ...]:
    """What columns are called; one without a name, or with that of another, by its number."""
    names: list[str] = []
    for place, cell in enumerate(first, start=1):
        name = cell.strip()
        names.append(str(place) if numbered or not name else f"{name} ({place})" if name in names else name)
    return tuple(names)
