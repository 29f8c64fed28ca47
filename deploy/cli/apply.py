"""`listeningpost apply`: a workspace file becomes the directory in force."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from deploy.cli import connect
from deploy.cli.author import login
from deploy.cli.output import ExitCode, Failed, Json, examples, print_json, remarks, results
from deploy.cli.settings import settings
from shared import clock
from shared.domain.declaration import InvalidDeclaration, read_workspace
from shared.domain.difference import Difference, differences
from shared.domain.workspace import Workspace
from shared.store.directory import Conflict, DirectoryStore, Version
from shared.store.migrations import Migrator

_EXAMPLES = examples(
    "listeningpost apply company.yaml --dry-run", "listeningpost apply company.yaml --author Maren"
)
_MOST_NAMES = 6


@dataclass(frozen=True, slots=True)
class Asked:
    """By whom and how. `example` means that no file was named."""

    author: str
    dry_run: bool
    yes: bool
    example: bool
    as_json: bool


def register(app: typer.Typer) -> None:
    app.command("apply", epilog=_EXAMPLES)(apply)


def apply(
    *,
    file: Annotated[
        str | None,
        typer.Argument(help="The workspace in YAML; - reads stdin. Left out: the example company."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only check and show what would change.")
    ] = False,
    author: Annotated[str | None, typer.Option(help="Who changes it; default: your login name.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Also replace what somebody else applied last.")] = False,
    as_json: Json = False,
) -> None:
    """Give the services a workspace: who you are, your journey, your people.

    Every fault is named with its line, and then nothing is changed (exit code 2). The file replaces what is
    in force: where somebody else applied that, you see what would change and are asked first. Running
    services follow within two seconds.
    """
    name, text = _read(file)
    try:
        workspace = read_workspace(text)
    except InvalidDeclaration as error:
        _show_flaws(name, error, as_json=as_json)
        raise typer.Exit(ExitCode.USAGE) from None
    if dry_run and not as_json:
        # Said before the database is asked, so that a file can be checked where there is none.
        remarks().print("[dim]the file is sound[/dim]")
    asked = Asked(author or login(), dry_run=dry_run, yes=yes, example=file is None, as_json=as_json)
    asyncio.run(_apply(workspace, asked))


def example() -> str:
    """The workspace that ships: it comes from the installed package, wherever the command is run."""
    return resources.files("deploy").joinpath("config", "workspace.yaml").read_text(encoding="utf-8")


def _read(file: str | None) -> tuple[str, str]:
    if file is None:
        return "workspace.yaml", example()
    try:
        raw = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise Failed(f"{file}: {error.strerror}", code=ExitCode.USAGE) from None
    try:
        return ("<stdin>" if file == "-" else file), raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise Failed(f"{file}:{line}: this is not UTF-8", "save the file as UTF-8", ExitCode.USAGE) from None


def _show_flaws(name: str, error: InvalidDeclaration, *, as_json: bool) -> None:
    if as_json:
        flaws = [
            {
                "file": name,
                "line": f.spot.line,
                "column": f.spot.column,
                "fault": f.message,
                "remedy": f.remedy,
            }
            for f in error.flaws
        ]
        print_json({"applied": False, "faults": flaws})
        return
    console = remarks()
    for flaw in error.flaws:
        where = Text(f"{name}:{flaw.spot.line}:{flaw.spot.column}", style="bold")
        console.print(
            where,
            Text(f" {'; '.join(part for part in (flaw.message, flaw.remedy) if part)}"),
            sep="",
            soft_wrap=True,
        )
    count = len(error.flaws)
    console.print(Text(f"{count} fault{'s' * (count > 1)}; nothing was changed", style="red"))


async def _apply(workspace: Workspace, asked: Asked) -> None:
    async with connect.store(settings()) as store:
        await Migrator(store).start()
        directory = DirectoryStore(store)
        current = await directory.current()
        if asked.example and current is not None and current.workspace.name != workspace.name:
            raise Failed(
                f"{current.workspace.name!r} is in force, and no file was given",
                "name the file; the example company would replace yours",
                ExitCode.USAGE,
            )
        found = differences(current.workspace if current else None, workspace)
        applied = None
        if found and not asked.dry_run:
            if current is not None and current.author != asked.author and not asked.yes:
                _confirm(current, found, asked)
            try:
                applied = await directory.propose(
                    workspace, asked.author, expected=current.number if current else 0, now=clock.now()
                )
            except Conflict as error:
                raise Failed(str(error), "run it again: it is then compared with what they changed") from None
    _report(current, applied, found, asked)


def _confirm(current: Version, found: tuple[Difference, ...], asked: Asked) -> None:
    """Returns when they are sure. The file may be older than what it replaces, and nothing in it says so."""
    _report(current, None, found, asked)
    when = f"{current.applied_at.astimezone():%Y-%m-%d %H:%M}"
    said = f"version {current.number} was applied by {current.author}, {when}; you are {asked.author}"
    if sys.stdin.isatty() and not asked.as_json:
        remarks().print(Text(said.capitalize()), soft_wrap=True)
        if typer.confirm("Replace it with this file?", err=True):
            return
        raise Failed("nothing was changed")
    raise Failed(f"nothing was changed: {said}", "make sure that your file has their changes, then add --yes")


def _report(
    current: Version | None, applied: Version | None, found: tuple[Difference, ...], asked: Asked
) -> None:
    if asked.as_json:
        in_force = applied or current
        print_json(
            {
                "applied": applied is not None,
                "dry_run": asked.dry_run,
                "version": in_force.number if in_force else None,
                "author": in_force.author if in_force else None,
                "applied_at": in_force.applied_at if in_force else None,
                "differences": [difference.as_json() for difference in found],
            }
        )
        return
    console = results()
    for difference in found:
        console.print(_line(difference))
    if applied or asked.dry_run or not found:
        console.print(Text(_verdict(current, applied, changed=bool(found))))


def _verdict(current: Version | None, applied: Version | None, *, changed: bool) -> str:
    if not changed and current:
        return f"Nothing to change: version {current.number} by {current.author} says the same."
    if applied:
        return f"Version {applied.number} is in force. Running services follow within two seconds."
    in_force = f"version {current.number} by {current.author}" if current else "none yet"
    return f"Nothing was changed (--dry-run); in force is {in_force}."


def _line(difference: Difference) -> Text:
    """`people        + 2 nele-brandt, tom-okafor   ~ 1 maren-voss (title)`."""
    line = Text(f"{difference.what:<13}")
    changed = tuple(
        f"{name} ({', '.join(fields)})" if fields else name for name, fields in difference.changed
    )
    groups = (("+", "green", difference.added), ("-", "red", difference.removed), ("~", "yellow", changed))
    for sign, style, names in groups:
        if names:
            line.append(f" {sign} {len(names)} ", style=style).append(f"{_some(names)}  ")
    if difference.reordered:
        line.append(" in another order", style="yellow")
    return line


def _some(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:_MOST_NAMES])
    return f"{shown}, and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else shown
