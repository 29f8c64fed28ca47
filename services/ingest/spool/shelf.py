"""One replica's directory of segments, held by a lock that dies with the process. Blocking: for threads.

`<volume>/replica-<id>/lock` is locked with flock(2) for as long as the replica lives. A directory whose lock
is free belongs to a replica that died: whoever locks it next drains it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path

from services.ingest.spool.segment import SUFFIX
from shared import ids

_PREFIX = "replica-"
_LOCK = "lock"
DAMAGED = "damaged"


class Shelf:
    """A directory this process has locked."""

    def __init__(self, directory: Path, lock: int) -> None:
        self.directory = directory
        self._lock = lock

    def segments(self) -> list[Path]:
        """Oldest first."""
        return sorted(self.directory.glob(f"*{SUFFIX}"))

    def release(self) -> None:
        """Another replica may take it now."""
        os.close(self._lock)

    def remove(self) -> None:
        """The directory is gone, if nothing but the lock is left in it."""
        (self.directory / _LOCK).unlink()
        with contextlib.suppress(OSError):
            self.directory.rmdir()
        self.release()


def make(volume: Path) -> Shelf:
    """A new directory, locked. Raises OSError."""
    directory = volume / f"{_PREFIX}{ids.fresh_id()[:8]}"
    directory.mkdir(parents=True)
    shelf = _lock(directory)
    if shelf is None:
        # Somebody took the new directory for an orphan between the two lines; it is theirs.
        return make(volume)
    return shelf


def orphans(volume: Path) -> list[Shelf]:
    """Every directory whose replica is gone, locked by us now."""
    directories = sorted(path for path in volume.glob(f"{_PREFIX}*") if path.is_dir())
    return [shelf for directory in directories if (shelf := _lock(directory)) is not None]


def _lock(directory: Path) -> Shelf | None:
    path = directory / _LOCK
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except FileNotFoundError:
        return None  # removed a moment ago
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    if not _is_same_file(path, descriptor):
        os.close(descriptor)
        return None
    return Shelf(directory, descriptor)


def _is_same_file(path: Path, descriptor: int) -> bool:
    """Its owner may have removed it, lock and all, between our opening and locking it."""
    try:
        return path.stat().st_ino == os.fstat(descriptor).st_ino
    except FileNotFoundError:
        return False


def set_aside(volume: Path, name: str, content: bytes) -> bool:
    """What cannot be drained stays for people to see, as `<volume>/damaged/<name>`. False: it is there."""
    path = volume / DAMAGED / name
    if path.exists():
        return False
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    return True
