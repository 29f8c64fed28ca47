"""`listeningpost doctor`: is everything well, and if not, what to do."""

from __future__ import annotations

import asyncio
from dataclasses import asdict

import typer
from rich.text import Text

from deploy.cli.checks import CHECKS, Finding, State
from deploy.cli.output import ExitCode, Json, examples, print_json, remarks, results
from deploy.cli.settings import CliSettings, settings

_SIGNS = {State.OK: ("✓", "green"), State.NOTE: ("·", "dim"), State.WRONG: ("✗", "red")}


def register(app: typer.Typer) -> None:
    app.command("doctor", epilog=examples("listeningpost doctor", "listeningpost doctor --json"))(doctor)


def doctor(*, as_json: Json = False) -> None:
    """Check everything, and say how to mend what is wrong.

    Kafka and its topics, MongoDB and its indexes, the directory, the services, clocks, secrets, mail, Slack.
    Exit code 1 when something is wrong.
    """
    findings = asyncio.run(_examine(settings()))
    wrong = [finding for finding in findings if finding.state is State.WRONG]
    if as_json:
        print_json({"well": not wrong, "findings": [asdict(finding) for finding in findings]})
    else:
        for finding in findings:
            _show(finding)
        verdict = f"{len(wrong)} of {len(findings)} need attention." if wrong else "All is well."
        results().print(Text(verdict, style="bold red" if wrong else "bold green"))
    raise typer.Exit(ExitCode.FOUND if wrong else ExitCode.OK)


async def _examine(where: CliSettings) -> list[Finding]:
    with remarks().status("looking"):
        found = await asyncio.gather(*(check(where) for check in CHECKS))
    return [finding for findings in found for finding in findings]


def _show(finding: Finding) -> None:
    sign, colour = _SIGNS[finding.state]
    console = results()
    console.print(Text(f"{sign} ", style=colour), Text(f"{finding.about:<12} {finding.detail}"), sep="")
    if finding.remedy:
        console.print(Text(f"  → {finding.remedy}", style="yellow"))
