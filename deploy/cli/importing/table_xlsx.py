"""Rows of a sheet of an Excel workbook, as they are shown: dates as dates, formulas as what they came to."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, time
from itertools import islice
from operator import itemgetter
from typing import Any, Final

from openpyxl.utils.exceptions import InvalidFileException

from deploy.cli.importing.dialect import has_header
from deploy.cli.importing.opened import Opened
from deploy.cli.importing.record import Row
from deploy.cli.importing.shared_strings import open_workbook
from deploy.cli.importing.table_csv import digest_of_cells, names_of
from deploy.cli.output import ExitCode, Failed
from shared.domain.suggest import did_you_mean

_MOST_SAMPLES = 200
_ERRORS: Final = frozenset(
    {"#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!", "#SPILL!", "#CALC!"}
)


class XlsxReader:
    """See `Reader`. Of merged cells the first has what they show, and the others nothing, as in the file."""

    format = "xlsx"

    def __init__(self, opened: Opened, *, sheet: str | None, header: bool | None) -> None:
        try:
            self._book = open_workbook(opened.path, opened.until)
        except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
            raise Failed(
                f"{opened.path} is no workbook: {error}", "save it as .xlsx", ExitCode.USAGE
            ) from None
        names = [one.title for one in self._book.worksheets]
        if sheet is not None and sheet not in names:
            remedy = did_you_mean(sheet, names, f"there are {', '.join(names)}")
            raise Failed(f"there is no sheet {sheet!r}", remedy, ExitCode.USAGE)
        self._sheet = self._book[sheet] if sheet else self._book.worksheets[0]
        self.sheet = str(self._sheet.title)
        self.size = self._sheet.max_row or 0
        self._at = 0
        # Some programs write that the sheet has one cell, and then all the others.
        self._sheet.reset_dimensions()
        first = [cells for _, cells in islice(self._filled(), _MOST_SAMPLES)]
        if not first:
            raise Failed(
                f"there is nothing in the sheet {self.sheet!r}", "choose another with --sheet", ExitCode.USAGE
            )
        width = max(len(cells) for cells in first)
        padded = [cells + [""] * (width - len(cells)) for cells in first]
        self.header = has_header(padded) if header is None else header
        self.columns = names_of(padded[0], numbered=not self.header)
        self.samples = list(islice(self.rows(), _MOST_SAMPLES))
        self.notes = [f"sheet {self.sheet!r}" + (f" of {', '.join(names)}" if len(names) > 1 else "")]
        if not self.header:
            self.notes.append("there is no header row: columns have numbers (--header if there is one)")

    def rows(self) -> Iterator[Row]:
        width, skip = len(self.columns), self.header
        for number, cells in self._filled():
            if skip:
                skip = False
                continue
            yield Row(number, (cells + [""] * (width - len(cells)))[:width])

    def position(self) -> int:
        return self._at

    def getter(self, column: int) -> Callable[[Any], str]:
        return itemgetter(column)

    def digest_of(self, rows: Sequence[Any]) -> bytes:
        return digest_of_cells(rows)

    def _filled(self) -> Iterator[tuple[int, list[str]]]:
        """Every row in which something stands, as text, without the empty cells at its end."""
        for number, values in enumerate(self._sheet.iter_rows(values_only=True), start=1):
            self._at = number
            cells = ["" if value is None else _text(value) for value in values]
            while cells and not cells[-1].strip():
                cells.pop()
            if cells:
                yield number, cells


def _text(value: Any) -> str:  # noqa: ANN401 - what openpyxl found in a cell
    if isinstance(value, str):
        return "" if value in _ERRORS else value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value.isoformat() if isinstance(value, datetime | date | time) else str(value)
