"""`listeningpost apply`: a workspace file becomes the directory in force, with what was changed elsewhere."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import typer
from rich.text import Text

from deploy.cli import changes, connect
from deploy.cli.apply_report import Report, report
from deploy.cli.author import login
from deploy.cli.merging import Merge, base_of, makers, put_together
from deploy.cli.output import ExitCode, Failed, Json, examples, remarks
from deploy.cli.settings import CliSettings, settings
from deploy.cli.working import working
from deploy.cli.workspace_file import declaration
from shared import clock
from shared.domain.advice import advice, secrets_named
from shared.domain.declaration import Declaration
from shared.domain.difference import differences
from shared.domain.three_way import Take
from shared.domain.workspace import Workspace
from shared.errors import ConfigurationError
from shared.store.directory import Conflict, Declared, DirectoryStore, Version
from shared.store.migrations import Migrator

_EXAMPLES = examples(
    "listeningpost apply company.yaml --dry-run",
    "listeningpost apply company.yaml --author Maren",
    "listeningpost apply company.yaml --take file",
    "listeningpost export --version 7 | listeningpost apply -",
)


@dataclass(frozen=True, slots=True)
class Asked:
    """By whom and how. `example` means that no file was named."""

    author: str
    dry_run: bool
    yes: bool
    take: Take | None
    example: bool
    as_json: bool
    now: datetime


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
    take: Annotated[
        Take | None, typer.Option(help="Whose word counts where the file and somebody else changed the same.")
    ] = None,
    author: Annotated[str | None, typer.Option(help="Who changes it; default: your login name.")] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Also when you apply a file here for the first time.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Give the services a workspace: who you are, your journey, your people.

    Every fault is named with its line, and then nothing is changed (exit code 2). What you changed in the
    file since you last applied it is changed in what is in force; what the console, the API, a CSV or
    somebody else's file changed meanwhile stays. Where both changed the same, both are shown and nothing is
    changed (exit code 1) until you say whose word counts. Running services follow within two seconds.
    """
    said = declaration(file, as_json=as_json)
    if dry_run and not as_json:
        # Said before the database is asked, so that a file can be checked where there is none.
        remarks().print("[dim]the file is sound[/dim]")
    asked = Asked(
        author or login(),
        dry_run=dry_run,
        yes=yes,
        take=take,
        example=file is None,
        as_json=as_json,
        now=clock.now(),
    )
    asyncio.run(_apply(said, asked))


async def _apply(said: Declaration, asked: Asked) -> None:
    where = settings()
    async with connect.store(where) as store:
        directory = DirectoryStore(store)
        with working("looking at what is in force", quiet=asked.as_json):
            await Migrator(store).start()
            current = await directory.current()
            warnings = [*advice(said.workspace), *_unset(said.workspace, where)]
        if current is None:
            found = differences(None, said.workspace)
            applied = None if asked.dry_run else await _propose(directory, said, said.workspace, 0, asked)
            report(Report(asked, None, applied, found, warnings=warnings))
            return
        if asked.example and current.workspace.name != said.workspace.name:
            raise Failed(
                f"{current.workspace.name!r} is in force, and no file was given",
                "name the file; the example company would replace yours",
                ExitCode.USAGE,
            )
        await _merge(directory, said, current, asked, warnings)


async def _merge(
    directory: DirectoryStore, said: Declaration, current: Version, asked: Asked, warnings: list[str]
) -> None:
    with working("comparing the file with what is in force", quiet=asked.as_json):
        base, unknown = await base_of(directory, said, asked.author)
        merge = put_together(base, said.workspace, current.workspace, asked.take)
        paths = [clash.path for clash in merge.merged.clashes] + merge.merged.kept
        by = await makers(directory, paths)
    if unknown:
        warnings.append(
            f"no version here is {said.based_on!r}: it was exported elsewhere, or that was undone"
        )
    told = Report(asked, current, None, merge.changes, merge, by, warnings)
    if merge.result is None:
        report(told)
        raise Failed(*_why_not(merge))
    if not asked.dry_run:
        if merge.changes:
            if base.others and not asked.yes:
                _confirm(told, current, asked)
            told.applied = await _propose(directory, said, merge.result, current.number, asked)
        else:
            await _remember(directory, said, current.number, asked)
    report(told)


def _why_not(merge: Merge) -> tuple[str, str]:
    if merge.faults:
        count = len(merge.faults)
        places = f"{count} place{'s' * (count > 1)}"
        said = (
            f"nothing was changed: your file and what was changed meanwhile do not fit together in {places}"
        )
        return said, "change your file; `listeningpost export` shows what is in force"
    count = len(merge.merged.clashes)
    return (
        f"nothing was changed: {count} conflict{'s' * (count > 1)}",
        "--take file or --take current says whose word counts, in all of them; or change your file",
    )


async def _propose(
    directory: DirectoryStore, said: Declaration, workspace: Workspace, expected: int, asked: Asked
) -> Version:
    with working("writing it", quiet=asked.as_json):
        try:
            version = await directory.propose(workspace, asked.author, expected=expected, now=asked.now)
        except Conflict as error:
            raise Failed(str(error), "run it again: it is then compared with what they changed") from None
        await _remember(directory, said, version.number, asked)
    return version


async def _remember(directory: DirectoryStore, said: Declaration, number: int, asked: Asked) -> None:
    """The next file is compared with this one, also when it changed nothing: it may have caught up."""
    before = await directory.declared(asked.author)
    if before is None or (before.workspace, before.number) != (said.workspace, number):
        await directory.remember(Declared(number, asked.author, asked.now, said.workspace))


def _confirm(told: Report, current: Version, asked: Asked) -> None:
    """Returns when they are sure. The file may be older than what it replaces, and nothing in it says so."""
    report(told)
    said = (
        f"version {current.number} is by {current.author}, {changes.minute(current.applied_at)}; "
        f"you are {asked.author}, and have not applied a file here yet"
    )
    if sys.stdin.isatty() and not asked.as_json:
        remarks().print(Text(said.capitalize()), soft_wrap=True)
        if typer.confirm("Change it as your file says?", err=True):
            return
        raise Failed("nothing was changed")
    remedy = (
        "make sure that your file has their changes, then add --yes; or start from `listeningpost export`"
    )
    raise Failed(f"nothing was changed: {said}", remedy)


def _unset(workspace: Workspace, where: CliSettings) -> list[str]:
    """References to secrets that are not set here. The notifier, which needs them, may run elsewhere."""
    found = []
    for reference in secrets_named(workspace):
        try:
            where.secret(reference)
        except ConfigurationError as error:
            found.append(f"{error}, where the services run")
    return found
