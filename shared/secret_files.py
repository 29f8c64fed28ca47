"""Secrets as files: one a file, several values while it is being rotated, one a line, the newest first.

A file is looked at when somebody asks for its secret, and at most once a second: a request costs no disk.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr

LOOK_EVERY_S = 1.0
#: Of a rotation there are two; very many would be tried one after the other.
MOST_VALUES = 8
Stamp = tuple[int, int, int]


@dataclass(slots=True)
class SecretFiles:
    """The secrets of a folder, as they are by now. A file that is gone is no secret any more."""

    folder: Path | None
    clock_s: Callable[[], float] = field(default=time.monotonic, compare=False)
    _known: dict[str, tuple[float, Stamp | None, tuple[SecretStr, ...]]] = field(
        default_factory=dict, compare=False, repr=False
    )

    def values(self, name: str) -> tuple[SecretStr, ...]:
        """The first is the one to sign with, all of them are accepted; empty where there is none."""
        if self.folder is None or Path(name).name != name:
            return ()
        now_s = self.clock_s()
        looked_s, stamp, values = self._known.get(name, (float("-inf"), None, ()))
        if now_s - looked_s < LOOK_EVERY_S:
            return values
        found = _stamp(self.folder / name)
        if found is None:
            values = ()
        elif found != stamp:
            read = _read(self.folder / name)
            # Empty for a moment is a file that is just being written.
            values, found = (read, found) if read else (values, None)
        self._known[name] = (now_s, found, values)
        return values


def _stamp(path: Path) -> Stamp | None:
    """Another one after every change; None where there is no file."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_ino, stat.st_size


def _read(path: Path) -> tuple[SecretStr, ...]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return ()
    stripped = (line.strip() for line in lines)
    return tuple(SecretStr(line) for line in stripped if line)[:MOST_VALUES]
