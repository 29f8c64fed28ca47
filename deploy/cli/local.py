"""The note a local stack leaves while it runs, so that the command finds it from another terminal.

It is locked for as long as the stack lives. A lock goes with its process however that ends, so a note nobody
holds is a stale one; a process id would tell less, since numbers are used again.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel, ValidationError


class Note(BaseModel):
    """`env` is what a command needs to reach the stack, its API key included: readable by its owner only."""

    started_by: str
    env: dict[str, str]


def path() -> Path:
    """In the user's runtime directory where there is one, else in a directory of their own under /tmp."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    base = Path(runtime) if runtime and Path(runtime).is_dir() else Path(tempfile.gettempdir())
    return base / f"listeningpost-{os.getuid()}" / "local.json"


@contextmanager
def announced(started_by: str, env: Mapping[str, str]) -> Iterator[None]:
    """While the block runs, other commands find this stack; of two stacks, the one started last."""
    note = path()
    note.parent.mkdir(mode=0o700, exist_ok=True)
    handle = os.open(note, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "r+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        file.truncate(0)
        file.write(Note(started_by=started_by, env=dict(env)).model_dump_json())
        file.flush()
        yield


def running() -> Note | None:
    """The note of a stack that runs now, else None."""
    try:
        with path().open(encoding="utf-8") as file:
            if not _held(file.fileno()):
                return None
            return Note.model_validate_json(file.read())
    except (OSError, ValidationError):
        return None


def _held(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False
