"""A file looked through without sending any of it, by the rules ingest will judge its rows by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from deploy.cli.importing.chunks import Chunk, Chunks
from deploy.cli.importing.plan import Plan
from services.ingest.domain.check import check
from services.ingest.domain.rest.body import Entry, read
from services.ingest.domain.rest.convert import Converter
from shared.domain.api_key import ApiKey, Scope
from shared.errors import InvalidInput


@dataclass(slots=True)
class Found:
    """`bad` counts rows by (field, what is wrong, remedy); `first` has the first row of each."""

    rows: int = 0
    good: int = 0
    left_out: int = 0
    bad: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    first: dict[tuple[str, str, str], int] = field(default_factory=dict)


def look_through(plan: Plan, now: datetime, moved: Callable[[int, int], None]) -> Found:
    """What would become of each row. What mail is, only its reading can tell: that is done as it comes in."""
    found = Found()
    everything = ApiKey("", "", "", frozenset(Scope), "", now)
    for chunk in Chunks(plan):
        found.rows = chunk.done
        found.left_out += chunk.left_out
        for row, fault in chunk.refused:
            _count(found, (fault.field, fault.detail, fault.remedy), row.number)
        if plan.build is None:
            found.good += len(chunk.rows)
        elif chunk.bodies:
            converter = Converter(everything, max_files=100, max_file_bytes=2**31)
            _judge(found, chunk, converter, now)
        moved(chunk.position, chunk.done)
    return found


def _judge(found: Found, chunk: Chunk, converter: Converter, now: datetime) -> None:
    entries = read(b"\n".join(chunk.bodies), ndjson=True, max_items=len(chunk.bodies)).entries
    for row, entry in zip(chunk.rows, entries, strict=True):
        faults = _faults(entry, converter, now)
        if faults:
            fault = faults[0]
            _count(found, (fault.field.replace("/", "."), fault.detail, fault.remedy), row.number)
        else:
            found.good += 1


def _faults(entry: Entry, converter: Converter, now: datetime) -> tuple[InvalidInput, ...]:
    if entry.item is None:
        return entry.faults
    try:
        check(converter.convert(entry.item), now)
    except InvalidInput as error:
        return (error,)
    return ()


def _count(found: Found, said: tuple[str, str, str], row: int) -> None:
    found.bad[said] += 1
    found.first.setdefault(said, row)
