"""What people are shown of a plan before it runs, and of an import when it has run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from rich.text import Text

from deploy.cli.importing.items import NoWords
from deploy.cli.importing.plan import Plan
from deploy.cli.importing.record import Refused
from deploy.cli.importing.run import Counts
from deploy.cli.output import remarks, table

_MOST_CHARS = 60
_SAMPLES = 3


def show_plan(plan: Plan) -> None:
    """The mapping, with an example of each column, on stderr."""
    console = remarks()
    console.print(Text(f"{plan.file_name}: {'; '.join(plan.reader.notes)}"), soft_wrap=True)
    if plan.described:
        first = [row.cells for row in plan.reader.samples]
        rows = []
        for name, numbers in plan.mapping.columns.items():
            for at in numbers:
                get = plan.reader.getter(at)
                value = next((get(cells) for cells in first if get(cells).strip()), "")
                guessed = "guessed" if name in plan.mapping.guessed else "said"
                rows.append((plan.reader.columns[at], "→ " + name, guessed, _short(value)))
        console.print(table(("column", "becomes", "", "for example"), rows))
    if plan.unused and plan.described:
        console.print(Text(f"not used: {', '.join(plan.unused)} (--map FIELD=COLUMN)"), soft_wrap=True)
    for name, value in plan.mapping.fixed.items():
        console.print(Text(f"in every row: {name} = {value}"), soft_wrap=True)
    for note in plan.notes:
        console.print(Text(note, style="yellow"), soft_wrap=True)
    console.print(Text(_identity(plan)), soft_wrap=True)


def samples(plan: Plan) -> Iterator[dict[str, Any]]:
    """The first rows as they would be sent."""
    found = 0
    for row in plan.reader.samples:
        if found == _SAMPLES or plan.build is None:
            return
        try:
            item = plan.build(row.cells)
        except (Refused, NoWords):
            continue
        found += 1
        yield item


def shortened(item: dict[str, Any]) -> str:
    """An item on one line."""
    return json.dumps({name: _cut(value) for name, value in item.items()}, ensure_ascii=False)


def summary(counts: Counts) -> str:
    parts = [f"{counts.accepted:,} kept"]
    for count, what in (
        (counts.quarantined, "in quarantine"),
        (counts.left_out, "without words or of somebody who is forgotten, left out"),
        (counts.rejected, "refused"),
    ):
        if count:
            parts.append(f"{count:,} {what}")
    return f"{counts.rows_done:,} rows: {', '.join(parts)}"


def _identity(plan: Plan) -> str:
    where = f"source {plan.source}" + (f" of channel {plan.channel}" if plan.channel else "")
    if plan.build is None:
        return "a mail is known again by its Message-ID, sender, subject and text: it comes in once"
    known = plan.described_by("external_id") or "words, author and time"
    return f"{where}; a row is known again by its {known}: imported again, it adds nothing"


def _short(value: str) -> str:
    line = " ".join(value.split())
    return line if len(line) <= _MOST_CHARS else line[: _MOST_CHARS - 1] + "…"


def _cut(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    return _short(value) if isinstance(value, str) else value
