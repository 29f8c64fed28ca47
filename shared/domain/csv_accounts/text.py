"""The bytes of a CSV file as rows: encoding and separator are found out, as spreadsheets write them."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator, Sequence

from shared.errors import InvalidInput, Reason

_SEPARATORS = ",;\t|"
_MAX_CELL_CHARS = 131_072
_BOMS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


def rows(content: bytes) -> Iterator[tuple[int, Sequence[str]]]:
    """The line each row begins on, and its cells. Raises InvalidInput for what is no CSV."""
    text = _decoded(content)
    if "\0" in text:
        raise InvalidInput(
            Reason.MEDIA_TYPE, "this is no text", remedy="save the sheet as CSV (UTF-8), not as a workbook"
        )
    # Excel's own way to say which separator it is.
    said = re.match(r"\ufeff?sep=(.)\r?\n", text)
    first = text[said.end() :].lstrip("\r\n").partition("\n")[0] if said else text.lstrip().partition("\n")[0]
    separator = said[1] if said else _separator(first)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=False)
    line = 1
    try:
        for row in reader:
            # csv's own limit is one of the whole process, which whoever reads other files may have raised.
            if any(len(cell) > _MAX_CELL_CHARS for cell in row):
                raise csv.Error(f"field larger than {_MAX_CELL_CHARS} characters")  # noqa: TRY301 - as csv does
            if not (said and line == 1):
                yield line, row
            line = reader.line_num + 1
    except csv.Error as error:
        raise InvalidInput(
            Reason.MALFORMED, f"line {line}: {error}", remedy="look for a quote that is not closed"
        ) from None


def _decoded(content: bytes) -> str:
    """By its mark, else UTF-8, else the Windows code page Excel writes CSVs in."""
    encoding = next((name for mark, name in _BOMS.items() if content.startswith(mark)), "utf-8")
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def _separator(header: str) -> str:
    """The one most frequent outside quotes; a comma when there is none at all."""
    bare = re.sub(r'"[^"]*"', "", header)
    return max(_SEPARATORS, key=bare.count)
