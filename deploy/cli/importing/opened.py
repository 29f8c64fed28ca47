"""A file that is to be imported: its format, told from what is in it, and bytes that are read as they go."""

from __future__ import annotations

import fcntl
import gzip
import io
import os
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Final, Literal, cast, get_args

from deploy.cli.output import ExitCode, Failed

Format = Literal["csv", "ndjson", "xlsx", "mbox"]
FORMATS: Final[tuple[Format, ...]] = get_args(Format)
_GZIP: Final = b"\x1f\x8b"
_ZIP: Final = b"PK\x03\x04"
_OLD_EXCEL: Final = b"\xd0\xcf\x11\xe0"
_BY_ENDING: Final[dict[str, Format]] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".json": "ndjson",
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
    ".mbox": "mbox",
}
_HEAD_BYTES = 4_096
_NO_TEXT = b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n"


class Opened:
    """One file, open for as long as it is imported, and locked: nobody here imports it meanwhile."""

    def __init__(self, path: Path) -> None:
        """Raises Failed for what cannot be opened, is empty, or is being imported."""
        self.path = path
        #: What a reader opens besides is closed with it.
        self.until = ExitStack()
        try:
            # Closed by `close`: it is read from several times, from its beginning.
            self._file = io.FileIO(path)
        except OSError as error:
            raise Failed(f"{path}: {error.strerror}", code=ExitCode.USAGE) from None
        self.size = os.fstat(self._file.fileno()).st_size
        self.packed = self._file.read(2) == _GZIP
        if not (self.size and self._lock()):
            self._file.close()
            if not self.size:
                raise Failed(f"{path} is empty", code=ExitCode.USAGE)
            raise Failed(f"{path} is being imported already", "wait until that has ended")

    def close(self) -> None:
        self.until.close()
        self._file.close()

    def _lock(self) -> bool:
        try:
            fcntl.flock(self._file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def stream(self) -> IO[bytes]:
        """Its bytes from the beginning, unpacked. There is one stream at a time."""
        self._file.seek(0)
        # Not closed with the stream: the lock would go with it.
        raw = io.FileIO(self._file.fileno(), closefd=False)
        buffered = io.BufferedReader(raw, buffer_size=262_144)
        return cast("IO[bytes]", gzip.GzipFile(fileobj=buffered) if self.packed else buffered)

    def position(self) -> int:
        """How many bytes of the file have been read."""
        return self._file.tell()

    def head(self, size: int = _HEAD_BYTES) -> bytes:
        try:
            return self.stream().read(size)
        except (EOFError, OSError) as error:
            raise Failed(f"{self.path} cannot be unpacked: {error}", code=ExitCode.USAGE) from None

    @property
    def endings(self) -> list[str]:
        return [ending.lower() for ending in self.path.suffixes if ending.lower() != ".gz"]


def format_of(opened: Opened) -> Format:
    """What is in it, by its first bytes, and where they may be anything by its name. Raises Failed."""
    head = opened.head()
    if head.startswith(_ZIP):
        return "xlsx"
    if head.startswith(_OLD_EXCEL):
        raise Failed(f"{opened.path} is an Excel file of before 2007", "save it as .xlsx", ExitCode.USAGE)
    begins = head.lstrip(_NO_TEXT)
    if head.startswith(b"From "):
        return "mbox"
    if begins.startswith((b"[{", b"[\n", b"[ ", b"[\r")) and opened.endings[-1:] != [".csv"]:
        raise Failed(
            f"{opened.path} holds one JSON array",
            f"one object a line is read as it comes: jq -c '.[]' {opened.path.name} > rows.ndjson",
            ExitCode.USAGE,
        )
    named = _BY_ENDING.get(opened.endings[-1]) if opened.endings else None
    if named in ("csv", "ndjson"):
        return named
    return "ndjson" if begins.startswith(b"{") else "csv"
