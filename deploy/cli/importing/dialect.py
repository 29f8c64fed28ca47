"""How a table is written down as text: what stands between cells, and whether the first row names them."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from deploy.cli.importing.fields import meaning
from deploy.cli.importing.values import is_date, is_email, is_number

_DELIMITERS: Final = (",", ";", "\t", "|")
#: A character no text has: a file of one column is not cut at its commas.
NOTHING: Final = "\x1f"
NAMES: Final = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", NOTHING: "nothing, one column"}
_SEP = re.compile(r"sep=(.)\r?\n?", re.IGNORECASE)
_MOST_ROWS = 200
_CONSISTENT = 0.9
_NAME_WORDS = 6
_NAME_CHARS = 60


@dataclass(frozen=True, slots=True)
class Dialect:
    """`skip` lines stand before the table, like Excel's `sep=;`."""

    delimiter: str
    skip: int = 0


def dialect_of(sample: str, *, is_all: bool) -> Dialect:
    """By the delimiter with which most rows have as many cells as the others. `sample` is the beginning."""
    said = _SEP.match(sample)
    if said:
        return Dialect(said[1], skip=1)
    scores = [(_score(sample, delimiter, is_all=is_all), delimiter) for delimiter in _DELIMITERS]
    (consistency, width), delimiter = max(scores, key=lambda one: (one[0][0] >= _CONSISTENT, *one[0]))
    return Dialect(delimiter if consistency >= _CONSISTENT and width > 1 else NOTHING)


def rows_of(sample: str, delimiter: str, *, is_all: bool) -> list[list[str]]:
    """The rows in `sample`, without the last one unless that is complete."""
    rows: list[list[str]] = []
    try:
        for row in csv.reader(sample.splitlines(keepends=True), delimiter=delimiter):
            rows.append(row)
            if len(rows) > _MOST_ROWS:
                break
        else:
            if not is_all:
                rows = rows[:-1]
    except csv.Error:
        return rows
    return [row for row in rows if any(cell.strip() for cell in row)]


def _score(sample: str, delimiter: str, *, is_all: bool) -> tuple[float, int]:
    """(share of rows with the usual number of cells, that number)."""
    widths = Counter(len(row) for row in rows_of(sample, delimiter, is_all=is_all))
    if not widths:
        return 0.0, 0
    width, count = widths.most_common(1)[0]
    # The last cells of a row may be left out; no row has more than there are columns.
    fitting = count + sum(n for w, n in widths.items() if 1 < w < width)
    return (fitting if width > 1 else 0) / widths.total(), width


def has_header(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row names the columns. In doubt it does where it looks unlike the rows below."""
    first = [cell.strip() for cell in rows[0]]
    if any(is_email(cell) or is_date(cell) or is_number(cell) for cell in first if cell):
        return False
    if any(meaning(cell) for cell in first):
        return all(len(cell) <= _NAME_CHARS for cell in first)
    if any(len(cell) > _NAME_CHARS or len(cell.split()) > _NAME_WORDS for cell in first):
        return False
    if len(set(first)) < len(first) or not all(first):
        return False
    below = rows[1:]
    return len(first) > 1 and (
        not below or any(_differs(first[at], column) for at, column in _columns(below, first))
    )


def _columns(rows: Sequence[Sequence[str]], first: Sequence[str]) -> Iterable[tuple[int, list[str]]]:
    for at in range(len(first)):
        yield at, [row[at].strip() for row in rows if at < len(row) and row[at].strip()]


def _differs(name: str, column: list[str]) -> bool:
    """Whether `name` is of another kind than all below: numbers, dates, addresses, or much longer words."""
    if not column:
        return False
    if all(is_number(cell) or is_date(cell) or is_email(cell) for cell in column):
        return True
    return sum(map(len, column)) / len(column) > 3 * len(name) or (
        name not in column and len(set(column)) < len(column)
    )
