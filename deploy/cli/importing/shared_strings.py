"""Opens a workbook without holding its words: they stand in one table, and Excel files are mostly words."""

from __future__ import annotations

import os
import tempfile
from array import array
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, overload
from xml.etree.ElementTree import Element, iterparse

from openpyxl.cell.text import Text
from openpyxl.packaging.manifest import Manifest
from openpyxl.reader.excel import ExcelReader
from openpyxl.workbook.workbook import Workbook
from openpyxl.xml.constants import SHARED_STRINGS, SHEET_MAIN_NS

from deploy.cli.output import ExitCode, Failed

_STRING = f"{{{SHEET_MAIN_NS}}}si"
#: Up to here a list in memory is faster and small enough.
_SMALL_BYTES = 16 * 1_048_576
_MOST_BYTES = 2_048 * 1_048_576


def open_workbook(path: Path, until: ExitStack) -> Workbook:
    """Read-only, with values instead of formulas; closed with `until`.

    Raises Failed for one that unpacks to more than any has.
    """
    reader = _Reader(str(path), read_only=True, data_only=True, keep_links=False)
    until.callback(reader.archive.close)
    reader.until = until
    reader.read()
    return reader.wb


class _Reader(ExcelReader):
    """openpyxl's, but for where the words are."""

    package: Manifest
    until: ExitStack

    def read_strings(self) -> None:
        part = self.package.find(SHARED_STRINGS)  # type: ignore[no-untyped-call] # openpyxl has no types here
        if part is None:
            return
        name = part.PartName[1:]
        size = self.archive.getinfo(name).file_size
        if size <= _SMALL_BYTES:
            super().read_strings()
            return
        if size > _MOST_BYTES:
            raise Failed(
                "the workbook unpacks to more than 2 GiB of text", "save the sheet as CSV", ExitCode.USAGE
            )
        with self.archive.open(name) as source:
            file = self.until.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - closed with `until`
            words = StringsOnDisk(file, _strings(source))
        self.shared_strings = words  # type: ignore[assignment] # it is read by index alone


class StringsOnDisk(Sequence[str]):
    """Strings by their number, in a file."""

    def __init__(self, file: IO[bytes], strings: Iterator[str]) -> None:
        self._file = file
        self._ends = array("Q", [0])
        for string in strings:
            self._file.write(string.encode("utf-8", "surrogatepass"))
            self._ends.append(self._file.tell())
        self._file.flush()

    def __len__(self) -> int:
        return len(self._ends) - 1

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[str]: ...
    def __getitem__(self, at: int | slice) -> str | Sequence[str]:
        if isinstance(at, slice):
            return [self[one] for one in range(*at.indices(len(self)))]
        start = self._ends[at]
        return os.pread(self._file.fileno(), self._ends[at + 1] - start, start).decode(
            "utf-8", "surrogatepass"
        )


def _strings(source: IO[bytes]) -> Iterator[str]:
    root: Element | None = None
    # Its own entities are the danger of XML: expat stops those that grow (2.4.1), and fetches none.
    for event, node in iterparse(source, ("start", "end")):  # noqa: S314 - see above
        if root is None:
            root = node
        if event == "end" and node.tag == _STRING:
            yield _content(node)
            # The parser keeps every node with its parent.
            root.clear()


def _content(node: Any) -> str:  # noqa: ANN401 - openpyxl's stubs know another kind of element
    text = Text.from_tree(node)
    return "" if text is None else str(text.content).replace("x005F_", "")
