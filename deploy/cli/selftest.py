"""`listeningpost selftest`: one signed piece through every door, and where each arrived."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Annotated

import typer
from rich.text import Text

from deploy.cli.output import ExitCode, Failed, Json, examples, print_json, remarks, results, table
from deploy.cli.selftest_run import run
from deploy.cli.selftest_tries import Result, State
from deploy.cli.senders import SENDERS
from deploy.cli.settings import settings

_STYLES = {State.ARRIVED: ("✓", "green"), State.CLOSED: ("·", "dim"), State.FAILED: ("✗", "red")}


def register(app: typer.Typer) -> None:
    lines = (
        "listeningpost selftest",
        "listeningpost selftest --door mail --within 60",
        "listeningpost selftest --json | jq .doors[].classified_ms",
    )
    app.command("selftest", epilog=examples(*lines))(selftest)


def _doors(incomplete: str) -> list[str]:
    return [name for name in SENDERS if name.startswith(incomplete)]


def selftest(
    *,
    door: Annotated[
        list[str] | None, typer.Option(help="Only this one; may be given often.", autocompletion=_doors)
    ] = None,
    within: Annotated[float, typer.Option(min=1, max=600, help="Seconds it may take.")] = 30.0,
    as_json: Json = False,
) -> None:
    """Send a signed piece through every door, and show where each arrived.

    The pieces are tests: tagged and stored, counted in no trend, told to nobody. Where a door knows no mode,
    a mark in the text says so, signed with the service token. Exit code 1 when one did not arrive.
    """
    unknown = sorted(set(door or ()) - set(SENDERS))
    if unknown:
        raise Failed(f"there is no door {unknown[0]!r}", f"there are {', '.join(SENDERS)}", ExitCode.USAGE)
    with remarks().status("knocking at the doors"):
        found = asyncio.run(run(settings(), frozenset(door or SENDERS), within))
    arrived = [result for result in found if result.state is State.ARRIVED]
    failed = [result for result in found if result.state is State.FAILED]
    passed = bool(arrived) and not failed
    if as_json:
        print_json({"passed": passed, "doors": [asdict(result) for result in found]})
    else:
        _show(found)
        verdict = f"{len(arrived)} of {len(arrived) + len(failed)} open doors work."
        results().print(Text(verdict, style="bold green" if passed else "bold red"))
    raise typer.Exit(ExitCode.OK if passed else ExitCode.FOUND)


def _show(found: list[Result]) -> None:
    console = results()
    rows = [
        (
            f"{_STYLES[result.state][0]} {result.door}",
            result.answer or "-",
            _ms(result.answered_ms),
            result.received or "-",
            _ms(result.received_ms),
            result.classified or "-",
            _ms(result.classified_ms),
            result.feedback_id or "-",
        )
        for result in found
        if result.state is not State.CLOSED
    ]
    columns = ("door", "said", "after", "received", "after", "stored and classified", "after", "piece")
    if rows:
        console.print(table(columns, rows))
    for result in found:
        sign, style = _STYLES[result.state]
        if result.problem:
            console.print(Text(f"{sign} {result.door}: {result.problem}", style=style))
        if result.remedy:
            console.print(Text(f"  → {result.remedy}", style="yellow"))


def _ms(value: int | None) -> str:
    return "-" if value is None else f"{value} ms"
