"""`listeningpost migrate`: the database as this release needs it."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

from deploy.cli import connect
from deploy.cli.output import ExitCode, Json, examples, print_json, remarks, results, table
from deploy.cli.settings import CliSettings, settings
from shared.store.declared import Condition, Part
from shared.store.migrations import Migrator, examine
from shared.store.owners import COLLECTIONS
from shared.store.schema import SCHEMA, Schema, SchemaStore, Standing


def register(app: typer.Typer) -> None:
    lines = ("listeningpost migrate --dry-run", "listeningpost migrate", "listeningpost migrate --json")
    app.command("migrate", epilog=examples(*lines))(migrate)


def migrate(
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be made; exit code 1 when something would.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Bring the database to what this release needs.

    Collections, validators, indexes, then numbered migrations. Every service does the same when it starts,
    one at a time. Nothing is removed, and doing it again does no harm. Shows what was applied when.
    """
    before, after, schema = asyncio.run(_migrate(settings(), dry_run=dry_run))
    to_make = [part for part in before if part.condition is not Condition.THERE]
    left = [part for part in after if part.condition is not Condition.THERE]
    if as_json:
        print_json(
            {
                "dry_run": dry_run,
                "schema": {"database": schema.number, "release": SCHEMA},
                "made": [] if dry_run else [_as_json(part) for part in to_make],
                "to_make": [_as_json(part) for part in left],
                "migrations": [_as_json(part) for part in after if part.kind == "migration"],
            }
        )
    else:
        _show(to_make, after, dry_run=dry_run)
        if schema.standing is Standing.NEWER:
            results().print(Text(f"It is of schema {schema}, newer than {SCHEMA}: nothing is changed in it."))
    raise typer.Exit(ExitCode.FOUND if left else ExitCode.OK)


async def _migrate(where: CliSettings, *, dry_run: bool) -> tuple[list[Part], list[Part], Schema]:
    """What there was, what there is, and of which schema."""
    async with connect.store(where) as store:
        before = await examine(store)
        if dry_run:
            return before, before, await SchemaStore(store).found()
        columns = (TextColumn("{task.description:<32}"), BarColumn(), MofNCompleteColumn())
        with Progress(*columns, console=remarks(), transient=True) as progress:
            task = progress.add_task("waiting for its turn", total=len(COLLECTIONS))

            def at(name: str) -> None:
                progress.update(task, advance=1, description=name)

            await Migrator(store, progress=at).start()
        return before, await examine(store), await SchemaStore(store).found()


def _show(to_make: list[Part], after: list[Part], *, dry_run: bool) -> None:
    console = results()
    if to_make:
        verb = "would be made" if dry_run else "made"
        words = {Condition.MISSING: verb, Condition.DIFFERENT: f"{verb} anew"}
        console.print(
            table(("what", "name", ""), [(part.kind, part.name, words[part.condition]) for part in to_make])
        )
    applied = [part for part in after if part.kind == "migration"]
    if applied:
        console.print(table(("migration", "applied"), [(part.name, _when(part)) for part in applied]))
    else:
        console.print(Text("This release has no migrations of what is stored.", style="dim"))
    if not to_make:
        parts = sum(part.kind != "migration" for part in after)
        console.print(Text(f"Nothing to do: all {parts} collections, validators and indexes are there."))
    elif dry_run:
        console.print(Text("Nothing was changed (--dry-run)."))
    else:
        console.print(Text("The database is as this release needs it."))


def _when(part: Part) -> str:
    return f"{part.applied_at.astimezone():%Y-%m-%d %H:%M:%S}" if part.applied_at else "not yet"


def _as_json(part: Part) -> dict[str, object]:
    return {
        "kind": part.kind,
        "name": part.name,
        "condition": part.condition,
        "applied_at": part.applied_at,
    }
