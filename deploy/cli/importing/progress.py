"""How far an import is, on a terminal as a bar, elsewhere as a line now and then."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from deploy.cli.importing.run import Counts
from deploy.cli.output import remarks

_EVERY_S = 10.0


@dataclass(slots=True)
class Shown:
    """`moved` and `say` are what the import tells it."""

    total: int
    progress: Progress | None
    began: float
    began_at: int = 0
    last: float = 0.0
    state: str = ""

    def moved(self, position: int, counts: Counts) -> None:
        now = time.monotonic()
        rate = (counts.rows_done - self.began_at) / max(now - self.began, 0.001)
        refused = f", {counts.rejected:,} refused" if counts.rejected else ""
        said = f"{counts.rows_done:,} rows, {rate:,.0f}/s{refused}"
        if self.progress is not None:
            self.progress.update(self.progress.task_ids[0], completed=position, said=said)
        elif now - self.last >= _EVERY_S:
            self.last = now
            remarks().print(f"{said} ({position / max(self.total, 1):.0%})", markup=False)

    def say(self, what: str) -> None:
        """What is waited for; "" when it goes on."""
        if what == self.state:
            return
        self.state = what
        if self.progress is not None:
            self.progress.update(self.progress.task_ids[0], state=what)
        elif what:
            remarks().print(what, markup=False)

    def goes_on(self, rows_done: int) -> None:
        """From here on rows are sent: the rate is theirs."""
        self.began, self.began_at = time.monotonic(), rows_done


@contextmanager
def shown(total: int, *, quiet: bool) -> Iterator[Shown]:
    console = remarks()
    began = time.monotonic()
    if quiet or not console.is_terminal:
        yield Shown(total, None, began, last=began)
        return
    columns = (
        TextColumn("importing"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[said]}", markup=False),
        TimeRemainingColumn(),
        TextColumn("{task.fields[state]}", style="yellow", markup=False),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        progress.add_task("", total=max(total, 1), said="", state="")
        yield Shown(total, progress, began)
