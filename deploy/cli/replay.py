"""`listeningpost replay`: dead letters go back where they came from."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from deploy.cli import connect
from deploy.cli.letters import (
    Choice,
    ReasonOption,
    SinceOption,
    TopicOption,
    UntilOption,
    choose,
    chosen,
    counts,
)
from deploy.cli.output import ExitCode, Failed, Json, examples, print_json, remarks, results
from deploy.cli.settings import CliSettings, settings
from shared.bus.dead_letters import DeadLetter, replay

_NAMES = ("--topic", "--reason", "--since", "--until", "--all")


def register(app: typer.Typer) -> None:
    lines = (
        "listeningpost replay --reason internal --dry-run",
        "listeningpost replay --topic feedback.classified.v1 --since 2h",
        "listeningpost replay feedback.received.v1.dlq/0/17",
    )
    app.command("replay", epilog=examples(*lines))(put_back)


def put_back(
    *,
    positions: Annotated[list[str] | None, typer.Argument(help="Only these.")] = None,
    topic: TopicOption = None,
    reason: ReasonOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    everything: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how many.")] = False,
    as_json: Json = False,
) -> None:
    """Put dead letters back once their cause is mended.

    What is put back is processed again like new, except that nobody is alerted of what is old by now. Doing
    it twice does no harm: ids and revisions order.
    """
    if not (positions or topic or reason or since or until or everything):
        raise Failed("which ones?", f"choose with {', '.join(_NAMES)}, or name positions", ExitCode.USAGE)
    wanted = choose(topic, reason, since, until)
    letters, done = asyncio.run(_run(settings(), wanted, set(positions or ()), dry_run=dry_run))
    if as_json:
        by = [{"topic": t, "reason": r, "count": count} for t, r, count in counts(letters)]
        print_json({"dry_run": dry_run, "found": len(letters), "replayed": done, "by": by})
        return
    for name, why, count in counts(letters):
        remarks().print(f"{count:>6}  {name}  {why}", markup=False)
    results().print(f"{len(letters)} would be put back." if dry_run else f"{done} put back.")


async def _run(
    where: CliSettings, wanted: Choice, positions: set[str], *, dry_run: bool
) -> tuple[list[DeadLetter], int]:
    letters = await chosen(where.kafka, wanted)
    if positions:
        letters = [letter for letter in letters if letter.position in positions]
        missing = positions - {letter.position for letter in letters}
        if missing:
            raise Failed(
                f"there is no dead letter {', '.join(sorted(missing))}", "it may have been put back already"
            )
    if dry_run or not letters:
        return letters, 0
    return letters, await _put_back(where, letters)


async def _put_back(where: CliSettings, letters: list[DeadLetter]) -> int:
    """One at a time, each marked before the next: an interruption leaves the rest listed."""
    columns = (TextColumn("putting back"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    async with connect.publisher(where) as publisher:
        with Progress(*columns, console=remarks(), transient=True) as progress:
            task = progress.add_task("", total=len(letters))
            for letter in letters:
                await replay(publisher, letter)
                progress.advance(task)
    return len(letters)
