"""`listeningpost doctor`: is everything well, and if not, what to do."""

from __future__ import annotations

import asyncio
from dataclasses import asdict

import typer
from rich.text import Text

from deploy.cli.checks import CHECKS, Finding, State
from deploy.cli.output import ExitCode, Json, examples, print_json, remarks, results
from deploy.cli.settings import CliSettings, settings

_SIGNS = {
    State.OK: ("✓", "green"),
    State.NOTE: ("·", "dim"),
    State.WARNING: ("!", "yellow"),
    State.WRONG: ("✗", "red"),
}


def register(app: typer.Typer) -> None:
    app.command("doctor", epilog=examples("listeningpost doctor", "listeningpost doctor --json"))(doctor)


def doctor(*, as_json: Json = False) -> None:
    """Check everything, and say how to mend what is wrong.

    Kafka and its topics, dead letters, MongoDB and its indexes, the directory, the services, clocks, secrets,
    mail, Slack. Exit code 1 when something is wrong; a warning (!) alone leaves it at 0.
    """
    findings = asyncio.run(_examine(settings()))
    wrong = [finding for finding in findings if finding.state is State.WRONG]
    warned = [finding for finding in findings if finding.state is State.WARNING]
    if as_json:
        print_json(
            {
                "well": not wrong,
                "warnings": len(warned),
                "findings": [asdict(finding) for finding in findings],
            }
        )
    else:
        for finding in findings:
            _show(finding)
        colour = "red" if wrong else "yellow" if warned else "green"
        results().print(Text(verdict(len(wrong), len(warned), len(findings)), style=f"bold {colour}"))
    raise typer.Exit(ExitCode.FOUND if wrong else ExitCode.OK)


def verdict(wrong: int, warned: int, looked_at: int) -> str:
    """In a sentence; "all is well" only where nothing waits for anybody."""
    warnings = f"{warned} warning{'s' * (warned != 1)}"
    if wrong:
        also = f", and there {'is' if warned == 1 else 'are'} {warnings}" if warned else ""
        return f"{wrong} of {looked_at} {'needs' if wrong == 1 else 'need'} attention{also}."
    return f"It works, with {warnings}." if warned else "All is well."


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
