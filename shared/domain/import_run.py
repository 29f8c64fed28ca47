"""How far the import of one file is: what makes it go on after a kill, and what people are shown of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ImportRun:
    """The import of one file with one mapping. `id` is the `batch` of every piece it brought.

    `rows_done` rows from the top are settled: each is kept as a piece or in quarantine, was refused, or was
    left out for having no words. `done_digest` is of those rows, so that a change in them is noticed.
    `source` is that of the API key: a key of another system may not move it. `by` is who ran the command.
    """

    id: str
    source: str
    by: str
    file_name: str
    size_bytes: int
    format: str
    head_digest: str
    mapping: Mapping[str, str] = field(default_factory=dict)
    rows_done: int = 0
    accepted: int = 0
    quarantined: int = 0
    rejected: int = 0
    left_out: int = 0
    done_digest: str = ""
    errors_file: str = ""
    started_at: datetime | None = None
    updated_at: datetime | None = None
    finished_at: datetime | None = None
