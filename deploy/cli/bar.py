"""How far something long is: a bar on a terminal, elsewhere nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from deploy.cli.output import remarks


@dataclass(slots=True)
class Bar:
    """`total` says how many of what there are, and begins anew; `moved` that so many more are done."""

    progress: Progress | None = None

    def total(self, count: int, unit: str) -> None:
        if self.progress is not None:
            self.progress.reset(self.progress.task_ids[0], total=max(count, 1), unit=unit)

    def moved(self, count: int) -> None:
        if self.progress is not None:
            self.progress.advance(self.progress.task_ids[0], count)


@contextmanager
def bar(what: str, *, quiet: bool = False) -> Iterator[Bar]:
    """`what` is going on until the block ends."""
    console = remarks()
    if quiet or not console.is_terminal:
        yield Bar()
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f} of {task.total:,.0f} {task.fields[unit]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        progress.add_task(what, total=1, unit="")
        yield Bar(progress)
