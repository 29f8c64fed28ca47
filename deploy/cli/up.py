"""`listeningpost up`: a Listening Post on this machine, until Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Annotated, Self

import typer
from rich.console import Console
from rich.text import Text

from deploy.cli import doors, local
from deploy.cli.author import login
from deploy.cli.output import ExitCode, Failed, examples
from deploy.demo.house import House, Plan, open_house
from deploy.demo.shown import Screen
from shared.domain.declaration import InvalidDeclaration, read_workspace
from shared.domain.workspace import Workspace


def register(app: typer.Typer) -> None:
    lines = ("listeningpost up", "listeningpost up --workspace company.yaml", "listeningpost up --fresh")
    app.command("up", epilog=examples(*lines))(up)


def up(
    *,
    workspace: Annotated[Path | None, typer.Option(help="Your company; default: the example.")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Where the database lies.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Begin with nothing, and keep nothing.")] = False,
    port: Annotated[int, typer.Option(help="Where REST and Slack's events come in.")] = 8080,
    mail_port: Annotated[int, typer.Option(help="Where mail comes in.")] = 2525,
    console_port: Annotated[
        int | None, typer.Option(help="Where programs change accounts; default: a free one.")
    ] = None,
) -> None:
    """Start everything on this machine, and stop it with Ctrl-C.

    For trying out: the embedded broker keeps nothing after it stops. Mail and Slack messages to people are
    shown here instead, unless LISTENINGPOST_NOTIFIER__… names servers of yours.
    """
    folder = None if fresh else (data_dir or _home())
    asyncio.run(_up(folder, workspace, port, mail_port, console_port))


async def _up(
    folder: Path | None, file: Path | None, port: int, mail_port: int, console_port: int | None
) -> None:
    workspace = _read(file) if file else None
    console = Console(highlight=False)
    stop_on_sigterm()
    with LogFile(console) as log:
        plan = Plan(
            author=login(),
            output=log,
            screen=Screen(console, on=True),
            data_dir=folder,
            workspace=workspace,
            port=port,
            mail_port=mail_port,
            console_port=console_port,
        )
        async with open_house(plan) as opened:
            if file is not None and opened.workspace != workspace:
                _say_what_stays(console, file, opened.workspace.name)
            await leave_running(opened, console, log, "listeningpost up")


def _say_what_stays(console: Console, file: Path, name: str) -> None:
    """Somebody else may have changed what is in force: bringing a file in is for `apply`, which sees that."""
    lines = (
        "",
        f"! {file} is not what is in force: the database holds a workspace of {name} already, and it stays",
        f"  → `listeningpost apply {file}`, or begin anew with --fresh",
    )
    for line in lines:
        console.print(Text(line, style="yellow"), soft_wrap=True)


def stop_on_sigterm() -> None:
    """What a supervisor sends ends the running task as Ctrl-C does: everything is stopped in order."""
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)


async def leave_running(opened: House, console: Console, log: LogFile, started_by: str) -> None:
    """Says what is where and how to use it; returns with Ctrl-C. Raises ChildDied when a process has died."""
    lines = (
        "",
        *doors.described(opened),
        f"log    {log.path}",
        "",
        *_where_it_goes(opened),
        "",
        "In another terminal, without any settings:",
        f'  listeningpost send "The new bill is clear at last." --from {doors.somebody(opened.workspace)}',
        "  listeningpost tail",
        "  listeningpost doctor",
        "  listeningpost apply my-company.yaml --dry-run",
        "",
        "Ctrl-C stops everything.",
    )
    for line in lines:
        console.print(Text(line), soft_wrap=True)
    with local.announced(started_by, opened.environment()), contextlib.suppress(asyncio.CancelledError):
        raise await opened.stack.children.wait_for_death()


def _where_it_goes(opened: House) -> Iterator[str]:
    email = opened.notifier.email
    if email.port == opened.sinks.mail.port:
        yield "What is sent to people is shown here."
    else:
        yield f"Mail to people goes to {email.host}:{email.port}, as LISTENINGPOST_NOTIFIER__EMAIL__… says."
        yield "What else is sent to people is shown here."


class LogFile:
    """A LineSink: every line of every process goes into a file, what the stack itself says on the screen.

    The file goes with the block, unless `keep` is called or the block ends with an error.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        handle, name = tempfile.mkstemp(prefix="listeningpost-", suffix=".log")
        self.path = Path(name)
        self._file = os.fdopen(handle, "w", encoding="utf-8")
        self._kept = False

    def __call__(self, name: str, line: str) -> None:
        if not self._file.closed:
            self._file.write(f"{name} | {line}\n")
            self._file.flush()
        if name == "embedded":
            self._console.print(Text(f"  {line}", style="dim"), soft_wrap=True)

    def keep(self) -> None:
        """Leave it, and say where it is."""
        self._kept = True
        said = "What the services wrote" if self.path.exists() else "What the services wrote was removed from"
        self._console.print(Text(f"{said}: {self.path}"), soft_wrap=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._file.close()
        if not self.path.exists():
            # Whoever cleans up temporary files may do so while we run.
            self._console.print(Text(f"{self.path} was removed by somebody else."), soft_wrap=True)
            return
        broke = isinstance(error, Exception) and not isinstance(error, typer.Exit)
        if broke and not self._kept and self.path.stat().st_size:
            self.keep()
        if not self._kept:
            self.path.unlink(missing_ok=True)


def _home() -> Path:
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "listeningpost"


def _read(file: Path) -> Workspace:
    try:
        return read_workspace(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise Failed(f"{file} cannot be read: {error}", code=ExitCode.USAGE) from None
    except InvalidDeclaration as error:
        remedy = f"`listeningpost apply {file} --dry-run` shows them all"
        raise Failed(f"{file}: {error}", remedy, ExitCode.USAGE) from None
