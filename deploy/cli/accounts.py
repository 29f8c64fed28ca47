"""`listeningpost accounts`: customer accounts from a CSV, as a list, and how many voices they make known."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

import typer
from rich.text import Text

from deploy.cli import changes, connect
from deploy.cli.accounts_report import Imported, report_import, show_accounts, show_coverage
from deploy.cli.author import login
from deploy.cli.output import ExitCode, Failed, Json, examples, print_json, results
from deploy.cli.settings import settings
from deploy.cli.workspace_file import read_bytes
from shared import clock
from shared.domain.accounts import Given, merge_accounts
from shared.domain.coverage import Coverage, coverage
from shared.domain.csv_accounts.rows import Reading, adding_domains, read_rows
from shared.domain.csv_accounts.text import rows
from shared.domain.difference import differences
from shared.domain.directory import Directory
from shared.domain.workspace import Unsound, Workspace
from shared.errors import InvalidInput
from shared.store.directory import DirectoryStore, Origin, Version
from shared.store.feedback import FeedbackStore

_IMPORT = (
    "listeningpost accounts import crm.csv --dry-run",
    "listeningpost accounts import crm.csv --date-format DD.MM.YYYY --column yearly_value='Umsatz (EUR)'",
    "listeningpost accounts import crm.csv --column segment= --partial",
)


def register(app: typer.Typer) -> None:
    accounts = typer.Typer(help="Customer accounts: import, list, remove, coverage.", no_args_is_help=True)
    accounts.command("import", epilog=examples(*_IMPORT))(bring)
    accounts.command("list", epilog=examples("listeningpost accounts list --json"))(show)
    accounts.command("remove", epilog=examples("listeningpost accounts remove hafenkontor"))(remove)
    accounts.command("coverage", epilog=examples("listeningpost accounts coverage --days 30"))(covered)
    app.add_typer(accounts, name="accounts")


@dataclass(frozen=True, slots=True)
class Asked:
    file: str
    reading: Reading
    author: str
    dry_run: bool
    partial: bool
    as_json: bool


def bring(
    *,
    file: Annotated[str, typer.Argument(help="The CSV, with headers in its first row; - reads stdin.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only check and show what would change.")
    ] = False,
    partial: Annotated[
        bool, typer.Option("--partial", help="Take the good rows, and leave the others.")
    ] = False,
    column: Annotated[
        list[str], typer.Option(help="FIELD=HEADER where the header does not say it; FIELD= for none.")
    ] = [],  # noqa: B006 - typer copies it
    date_format: Annotated[str | None, typer.Option(help="Of dates: DD.MM.YYYY, …; default: ISO.")] = None,
    author: Annotated[str | None, typer.Option(help="Who changes it; default: your login name.")] = None,
    as_json: Json = False,
) -> None:
    """Bring customer accounts from a CRM's CSV.

    An account that is there gets the fields the file has, everything else of it stays; nothing is ever
    removed. With a single row that is wrong nothing is changed (exit code 2), unless --partial. Repeating it
    changes nothing.
    """
    chosen = dict(_field(pair) for pair in column)
    asked = Asked(file, Reading(chosen, date_format), author or login(), dry_run, partial, as_json)
    asyncio.run(_bring(asked))


def _field(pair: str) -> tuple[str, str]:
    field, equals, header = pair.partition("=")
    if not equals:
        raise Failed(f"--column {pair} is no FIELD=HEADER", "write --column name=Company", ExitCode.USAGE)
    return field.strip(), header.strip()


async def _bring(asked: Asked) -> None:
    name, content = read_bytes(asked.file)
    async with connect.store(settings()) as store:
        directory = DirectoryStore(store)
        current = await _current(directory)
        try:
            read = read_rows(rows(content), Directory(current.workspace, current.number), asked.reading)
        except InvalidInput as error:
            raise Failed(f"{name}: {error.detail}", error.remedy, ExitCode.USAGE) from None
        found = Imported(name, len(read.given), read.faults, current)
        if not read.faults or asked.partial:
            merged = _merged(current.workspace, read.given)
            found.differences = differences(current.workspace, merged)
            if found.differences and not asked.dry_run:
                found.applied = await _change(directory, read.given, asked.author)
    report_import(found, dry_run=asked.dry_run, as_json=asked.as_json)
    if read.faults:
        raise typer.Exit(ExitCode.FOUND if asked.partial else ExitCode.USAGE)


async def _change(directory: DirectoryStore, given: Sequence[Given], author: str) -> Version:
    """Compared with what is in force then, not with what it was when the file was read."""
    try:
        return await directory.change(
            lambda workspace: _merged(workspace, given), author, Origin.CSV, now=clock.now()
        )
    except Unsound as error:
        raise Failed(f"nothing was changed: meanwhile {error}", "run it again") from None


def _merged(workspace: Workspace, given: Sequence[Given]) -> Workspace:
    return merge_accounts(workspace, adding_domains(workspace, given))


def show(*, as_json: Json = False) -> None:
    """List customer accounts, with the segment each has, by itself or by a rule."""

    async def run() -> Version:
        async with connect.store(settings()) as store:
            return await _current(DirectoryStore(store))

    current = asyncio.run(run())
    show_accounts(Directory(current.workspace, current.number), as_json=as_json)


def remove(
    *,
    ids: Annotated[list[str], typer.Argument(help="Ids, from `listeningpost accounts list`.")],
    author: Annotated[str | None, typer.Option(help="Who changes it; default: your login name.")] = None,
    as_json: Json = False,
) -> None:
    """Remove customer accounts. What was tagged with one keeps its id."""

    async def run() -> Version:
        async with connect.store(settings()) as store:
            directory = DirectoryStore(store)
            await _current(directory)
            return await directory.change(
                lambda workspace: merge_accounts(workspace, (), ids),
                author or login(),
                Origin.COMMAND,
                now=clock.now(),
            )

    try:
        version = asyncio.run(run())
    except Unsound as error:
        first: Sequence[str] = (error.faults[0].message, error.faults[0].remedy)
        raise Failed(f"nothing was changed: {first[0]}", first[1], ExitCode.USAGE) from None
    if as_json:
        print_json({"removed": ids, **changes.version_json(version)})
        return
    results().print(Text(f"Version {version.number} is in force, without {', '.join(ids)}."))


def covered(
    *,
    days: Annotated[int, typer.Option(min=1, max=3650, help="Of pieces received since.")] = 90,
    as_json: Json = False,
) -> None:
    """Show how many pieces were weighed without knowing who speaks, and which domains would help most."""
    since = clock.now() - timedelta(days=days)

    async def run() -> Coverage:
        async with connect.store(settings()) as store:
            current = await _current(DirectoryStore(store))
            counted = await FeedbackStore(store).weighed(since)
            return coverage(counted, Directory(current.workspace, current.number))

    show_coverage(asyncio.run(run()), days, as_json=as_json)


async def _current(directory: DirectoryStore) -> Version:
    current = await directory.current()
    if current is None:
        raise Failed("no workspace is applied yet", "listeningpost apply company.yaml")
    return current
