"""The reader for a file, by its format; options that are none of that format's are said to be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

from deploy.cli.importing.opened import Format, Opened, format_of
from deploy.cli.importing.record import Reader
from deploy.cli.importing.table_csv import CsvReader
from deploy.cli.importing.table_mbox import MboxReader
from deploy.cli.importing.table_ndjson import NdjsonReader
from deploy.cli.importing.table_xlsx import XlsxReader
from deploy.cli.output import ExitCode, Failed


@dataclass(frozen=True, slots=True)
class Reading:
    """What the options say of how the file is read; None where they say nothing."""

    form: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    header: bool | None = None
    sheet: str | None = None


_OPTIONS = {
    "csv": ("encoding", "delimiter", "header"),
    "ndjson": ("encoding",),
    "xlsx": ("sheet", "header"),
    "mbox": (),
}


def reader_for(opened: Opened, reading: Reading) -> Reader:
    """Raises Failed for a file that has not that form, and for options it has no use for."""
    form = format_of(opened) if reading.form is None else reading.form
    if form not in _OPTIONS:
        known = ", ".join(get_args(Format))
        raise Failed(f"--format {form!r} is not known here", f"use one of {known}", ExitCode.USAGE)
    for name in ("encoding", "delimiter", "header", "sheet"):
        if getattr(reading, name) is not None and name not in _OPTIONS[form]:
            raise Failed(f"--{name} says nothing about a file in {form}", "leave it out", ExitCode.USAGE)
    if form == "xlsx":
        return XlsxReader(opened, sheet=reading.sheet, header=reading.header)
    if form == "ndjson":
        return NdjsonReader(opened, encoding=reading.encoding)
    if form == "mbox":
        return MboxReader(opened)
    return CsvReader(opened, encoding=reading.encoding, delimiter=reading.delimiter, header=reading.header)
