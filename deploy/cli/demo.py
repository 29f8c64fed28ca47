"""`listeningpost demo`: see it work, on this machine, in a minute."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from deploy.cli.author import login
from deploy.cli.output import ExitCode, examples
from deploy.cli.up import LogFile, leave_running, stop_on_sigterm
from deploy.demo.house import Plan, open_house
from deploy.demo.run import play
from deploy.demo.shown import Screen

_WIDE_CHARS = 160


def register(app: typer.Typer) -> None:
    lines = ("listeningpost demo", "listeningpost demo --stay", "listeningpost demo --speed 2")
    app.command("demo", epilog=examples(*lines))(demo)


def demo(
    *,
    stay: Annotated[bool, typer.Option("--stay", help="Leave everything running, to try it out.")] = False,
    speed: Annotated[float, typer.Option(min=0.1, help="Pieces a second.")] = 8.0,
) -> None:
    """Everything on this machine, with a day of feedback sent through it.

    A database, a broker and the services are started; colleagues and customers of an invented company speak
    through REST, Slack and mail; mails, Slack messages and webhooks arrive at servers that speak their
    protocol. Exit code 1 when anything expected is missing.
    """
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_WIDE_CHARS)
    asyncio.run(_demo(console, stay=stay, speed=speed))


async def _demo(console: Console, *, stay: bool, speed: float) -> None:
    console.print(Text("Starting a database, a broker and four services on this machine.", style="bold"))
    began = time.monotonic()
    stop_on_sigterm()
    # Until the table has been shown what is sent is in the table.
    screen = Screen(console, on=False)
    with LogFile(console) as log:
        async with open_house(Plan(author=login(), output=log, screen=screen)) as opened:
            ready_after_s = time.monotonic() - began
            console.print(
                Text(f"Ready after {ready_after_s:.0f} s. A day at Leuchtfeld Networks:", style="bold")
            )
            failed = await play(opened, console, speed=speed)
            _conclude(console, failed)
            if failed:
                log.keep()
            if stay:
                screen.on = True
                await leave_running(opened, console, log, "listeningpost demo --stay")
    if failed:
        raise typer.Exit(ExitCode.FOUND)


def _conclude(console: Console, failed: list[str]) -> None:
    console.print()
    for sentence in failed:
        console.print(Text(f"✗ {sentence}", style="red"))
    if failed:
        console.print(Text(f"{len(failed)} things are not as they must be.", style="bold red"))
    else:
        console.print(Text("✓ Everything that had to happen happened, and nothing else.", style="bold green"))
