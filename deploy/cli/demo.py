"""`listeningpost demo`: see it work, on this machine, in a minute."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from deploy.cli import local
from deploy.cli.output import ExitCode, examples
from deploy.demo.run import House, open_house, play

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
    try:
        asyncio.run(_demo(console, stay=stay, speed=speed))
    except KeyboardInterrupt:
        console.print("stopped")


async def _demo(console: Console, *, stay: bool, speed: float) -> None:
    console.print(Text("Starting a database, a broker and three services on this machine.", style="bold"))
    async with open_house(console) as opened:
        console.print(Text("A day at Leuchtfeld Networks:", style="bold"))
        failed = await play(opened, console, speed=speed)
        _conclude(console, failed)
        if failed:
            console.print(Text(f"the log: {opened.log}" if stay else "--stay keeps it running, with its log"))
        if stay:
            await _stay(opened, console)
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


async def _stay(opened: House, console: Console) -> None:
    lines = (
        f"POST {opened.stack.url('ingest')}/v1/feedback   (openapi.json is there too)",
        f"SMTP {opened.sinks.mail.port} takes our mail, {opened.mail_port} is the door for yours",
        f"key  {opened.tokens.write}",
        f"log  {opened.log}",
        "",
        "In another terminal, without any settings:",
        '  listeningpost send "The new bill is clear at last." --from amelia.hart@brightwater.example',
        "  listeningpost tail",
        "  listeningpost doctor",
        "  listeningpost apply my-company.yaml --dry-run",
        "",
        "Ctrl-C stops everything.",
    )
    console.print()
    for line in lines:
        console.print(Text(line))
    with local.announced("listeningpost demo --stay", opened.environment()):
        raise await opened.stack.children.wait_for_death()
