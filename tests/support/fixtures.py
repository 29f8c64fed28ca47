"""Real payloads of other people's, read where they lie and never copied; without them the tests skip."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

#: Where a checkout has them beside it, unless the environment names another folder.
FOLDER = Path(
    os.environ.get("LISTENINGPOST_TEST_FIXTURES", Path(__file__).parents[3] / "shared" / "fixtures")
)
_ABSENT = pytest.mark.skip(reason="the folder of real payloads is not here (LISTENINGPOST_TEST_FIXTURES)")


def files(*folders: str) -> list[Path]:
    """Every file in `folders` but the notes on where they come from; empty when they are absent."""
    found = (path for folder in folders for path in sorted((FOLDER / folder).rglob("*")))
    return [path for path in found if path.is_file() and path.name != "SOURCES.md"]


def payloads(*folders: str) -> list[object]:
    """The files as parameters of a test; one that is skipped when they are absent."""
    return list(files(*folders)) or [pytest.param(FOLDER / folders[0], marks=_ABSENT)]


def contents(path: Path) -> bytes:
    return path.read_bytes()
