"""What a reader yields: a row, or what is wrong with one. And a file's reader, whatever its format."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol


@dataclass(frozen=True, slots=True)
class Fault:
    """`field` is what it was to become, or the column; `remedy` one sentence for whoever mends the file."""

    field: str
    detail: str
    remedy: str


class Refused(Exception):
    """A row cannot be sent as it is."""

    def __init__(self, field: str, detail: str, remedy: str) -> None:
        super().__init__(detail)
        self.fault = Fault(field, detail, remedy)


class Row(NamedTuple):
    """`number` is what a spreadsheet shows beside it: the header is 1, empty rows count."""

    number: int
    cells: Any
    fault: Fault | None = None


class Reader(Protocol):
    """Rows of one file, from the top, one at a time. Empty rows are not among them.

    `columns` are the names by which the mapping speaks of cells, `samples` the first rows. `notes` say what
    was found out about the file, for people. `position` is how far it is of `size`, in bytes or rows.
    """

    format: str
    columns: tuple[str, ...]
    samples: list[Row]
    notes: list[str]
    size: int

    def rows(self) -> Iterator[Row]: ...

    def position(self) -> int: ...

    def getter(self, column: int) -> Callable[[Any], str]:
        """What is in that column of a row's cells, "" for nothing."""
        ...

    def digest_of(self, rows: Sequence[Any]) -> bytes:
        """All that is in the cells of `rows`, so that a change of them is noticed.

        For many at once it is what it is for one after the other, put together.
        """
        ...
