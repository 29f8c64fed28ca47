"""The rows that were not taken, each with why, in a file that can be mended and imported by itself."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any, Final, TextIO

from deploy.cli.importing.fields import OURS
from deploy.cli.importing.record import Fault, Row
from deploy.cli.output import ExitCode, Failed

_NAMES: Final = tuple(f"{OURS}{name}" for name in ("row", "field", "fault", "remedy"))


class ErrorsFile:
    """Made with the first row that is written; until then `path` is None, but where it goes on."""

    def __init__(self, beside: Path, wanted: Path | None, *, columns: Sequence[str], form: str) -> None:
        self._ndjson = form == "ndjson"
        self._mail = form == "mbox"
        self._columns = columns
        self._wanted = wanted
        self._beside = beside
        self._file: TextIO | None = None
        self.path: Path | None = None

    def check(self) -> None:
        """Raises Failed when what was asked for would overwrite a file."""
        if self._wanted is not None and self._wanted.exists():
            raise Failed(f"{self._wanted} exists", "name another file with --errors", ExitCode.USAGE)

    def go_on(self, name: str, last_row: int) -> None:
        """It is the file of that name again, without rows after `last_row`: those are read again."""
        path = self._of(name)
        if not name or not path.is_file():
            return
        short = path.with_name(f"{path.name}.part")
        with (
            path.open(encoding="utf-8-sig", newline="") as old,
            short.open("w", encoding="utf-8", newline="") as new,
        ):
            if not self._ndjson:
                new.write("\ufeff")
            new.writelines(self._until(old, last_row))
        short.replace(path)
        self.path = path

    def found(self, name: str) -> str:
        """Where the file of that name lies, if it still does; else its name."""
        path = self._of(name)
        return str(path) if name and path.is_file() else name

    def _of(self, name: str) -> Path:
        return self._wanted if self._wanted is not None else self._beside.parent / name

    def write(self, row: Row, faults: Sequence[Fault]) -> None:
        if self._file is None:
            self._file = self._open()
        self._file.write(self._line(row, faults))

    def flush(self) -> None:
        """All that was written outlives this process."""
        if self._file is not None:
            self._file.flush()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _open(self) -> TextIO:
        if self.path is not None:
            return self.path.open("a", encoding="utf-8", newline="")
        ending = "ndjson" if self._ndjson else "csv"
        names = [self._wanted] if self._wanted else _free_names(self._beside, ending)
        for path in names:
            try:
                handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            except FileExistsError:
                continue
            except OSError as error:
                raise Failed(f"{path}: {error.strerror}", "name another file with --errors") from None
            self.path = path
            file = os.fdopen(handle, "w", encoding="utf-8", newline="")
            if not self._ndjson:
                # The mark is for spreadsheets, which read letters of other languages wrong without it.
                file.write("\ufeff" + _csv_line([*_NAMES, *self._columns]))
            return file
        raise Failed(f"{self._wanted} exists", "name another file with --errors", ExitCode.USAGE)

    def _line(self, row: Row, faults: Sequence[Fault]) -> str:
        said = [
            str(row.number),
            "; ".join(fault.field for fault in faults if fault.field),
            "; ".join(fault.detail for fault in faults),
            " ".join(dict.fromkeys(fault.remedy for fault in faults if fault.remedy)),
        ]
        if self._ndjson:
            found = dict(zip(_NAMES, [row.number, *said[1:]], strict=True))
            return json.dumps(row.cells | found, ensure_ascii=True) + "\n"
        return _csv_line([*said, *(self._shown(row.cells) if self._mail else row.cells)])

    def _shown(self, mail: Any) -> list[str]:  # noqa: ANN401 - the bytes of a mail
        from deploy.cli.importing.table_mbox import header  # noqa: PLC0415 - it reads services' code

        return [header(mail, name) for name in self._columns]

    def _until(self, old: TextIO, last_row: int) -> Iterator[str]:
        if self._ndjson:
            for line in old:
                if line.endswith("\n") and int(json.loads(line)[_NAMES[0]]) <= last_row:
                    yield line
            return
        rows = csv.reader(old)
        yield _csv_line(next(rows, [*_NAMES, *self._columns]))
        for cells in rows:
            # A row that was cut off by the end of its process is after the last one, too.
            if cells and cells[0].isdecimal() and int(cells[0]) <= last_row:
                yield _csv_line(cells)


def _free_names(beside: Path, ending: str) -> Iterator[Path]:
    yield beside.with_name(f"{beside.name}.errors.{ending}")
    for number in count(2):
        yield beside.with_name(f"{beside.name}.errors-{number}.{ending}")


def _csv_line(cells: Sequence[str]) -> str:
    return csv_text(cells)


class _Sink:
    """The writer of the csv module gives its line to this."""

    def __init__(self) -> None:
        self.line = ""

    def write(self, line: str) -> None:
        self.line = line


def csv_text(cells: Sequence[str]) -> str:
    sink = _Sink()
    # What is not text in the file's encoding is shown, so that the file of errors is text.
    csv.writer(sink).writerow([cell.encode("utf-8", "backslashreplace").decode() for cell in cells])
    return sink.line
