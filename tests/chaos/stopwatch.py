"""Writes down how long things take, for the end of the run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeAlias

#: pytest's `record_property`.
Record: TypeAlias = Callable[[str, object], None]


class Stopwatch:
    """Runs from the beginning; `start` sets it back."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self._since = asyncio.get_running_loop().time()

    def start(self) -> None:
        self._since = asyncio.get_running_loop().time()

    @property
    def elapsed_s(self) -> float:
        return asyncio.get_running_loop().time() - self._since

    def note(self, what: str) -> None:
        self.record(what, f"{self.elapsed_s:.1f} s")
