"""Where an import goes on: after the last row that was settled, if the file still begins with those rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from deploy.cli.importing.chunks import Chunk, Chunks
from deploy.cli.importing.plan import Plan
from deploy.cli.importing.run import Counts


@dataclass(frozen=True, slots=True)
class Place:
    """`chunks` are left to send. `said` is for people. `is_over`: it was finished, and nothing is new.

    `errors_name` is the file of errors of the run before, `last_row` the last row it may speak of.
    """

    chunks: Iterable[Chunk]
    counts: Counts
    said: str = ""
    is_over: bool = False
    errors_name: str = ""
    last_row: int = 0


def place(
    plan: Plan, earlier: Mapping[str, Any] | None, *, from_start: bool, moved: Callable[[int, Counts], None]
) -> Place:
    """The place in the file, found by reading it from the top: equal rows are told apart by counting."""
    chunks = Chunks(plan)
    if earlier is None or from_start or not earlier["rows_done"]:
        return Place(chunks, Counts())
    counts = Counts(**{name: earlier[name] for name in Counts.__slots__})
    last: Chunk | None = None
    for chunk in chunks.skip(counts.rows_done):
        last = chunk
        moved(chunk.position, counts)
    if last is None or (last.done, last.digest) != (counts.rows_done, counts.done_digest):
        said = (
            "the file has changed in rows that were imported before: all of it is sent again, "
            "and what is unchanged adds nothing"
        )
        return Place(Chunks(plan), Counts(), said)
    left = iter(chunks)
    following = next(left, None)
    errors = str(earlier["errors_file"])
    rest = chain([following] if following is not None else [], left)
    if earlier["finished_at"] is None:
        said = f"going on after {counts.rows_done:,} rows (begun {_when(earlier['started_at'])})"
        return Place(rest, counts, said, errors_name=errors, last_row=last.last_row)
    finished = _when(earlier["finished_at"])
    if following is None:
        return Place(
            (), counts, f"{plan.file_name} was imported {finished}", is_over=True, errors_name=errors
        )
    said = f"the first {counts.rows_done:,} rows were imported {finished}: going on with those after them"
    return Place(rest, counts, said, errors_name=errors, last_row=last.last_row)


def _when(moment: str) -> str:
    """As people read a time: 2026-05-04 09:30 UTC."""
    return f"{moment[:16].replace('T', ' ')} UTC"
