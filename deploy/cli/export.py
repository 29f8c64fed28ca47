"""`listeningpost export`: the directory in force, or an earlier version of it, as a workspace file."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from deploy.cli import changes, connect
from deploy.cli.output import ExitCode, Failed, Json, examples, print_json, remarks
from deploy.cli.settings import settings
from deploy.cli.working import working
from shared.domain.declaration import mark
from shared.domain.yaml_text import write_workspace
from shared.store.directory import DirectoryStore, Version

_EXAMPLES = examples(
    "listeningpost export company.yaml",
    "listeningpost export --version 7 | listeningpost apply - --dry-run",
)


def register(app: typer.Typer) -> None:
    app.command("export", epilog=_EXAMPLES)(export)


def export(
    *,
    file: Annotated[Path | None, typer.Argument(help="Where it is written; left out: stdout.")] = None,
    version: Annotated[
        int | None, typer.Option(min=1, help="An earlier one, from `listeningpost history`.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Also over a file that is there.")] = False,
    as_json: Json = False,
) -> None:
    """Write the workspace in force as a file that can be applied.

    Applied as it is, it changes nothing. With --version an earlier one: applied, it takes the directory back
    to how it was then. No secret is in it, only their names.
    """
    if file is not None and file.exists() and not force:
        remedy = "name another one, or add --force; its comments would be lost"
        raise Failed(f"{file} is there already", remedy, ExitCode.USAGE)
    with working("reading what is in force", quiet=as_json):
        current, chosen = asyncio.run(_read(version))
    # An earlier version is compared with the one in force, too: what came since is what it takes back.
    based_on = mark(current.workspace, current.number)
    if as_json:
        values = chosen.workspace.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        print_json({**changes.version_json(chosen), "based_on": based_on, "workspace": values})
        return
    with working("writing it down"):
        text = write_workspace(chosen.workspace, based_on)
    if file is None:
        sys.stdout.buffer.write(text.encode())
        sys.stdout.flush()
        return
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Failed(f"{file}: {error.strerror}", code=ExitCode.USAGE) from None
    remarks().print(Text(f"{file}: version {chosen.number} by {chosen.author}"), soft_wrap=True)


async def _read(number: int | None) -> tuple[Version, Version]:
    """The version in force, and the one that is wanted."""
    async with connect.store(settings()) as store:
        directory = DirectoryStore(store)
        entries = await directory.entries()
        if not entries:
            raise Failed("no workspace is applied yet", "listeningpost apply company.yaml")
        wanted = [entry for entry in entries if number in {entry.number, None}][:1]
        if not wanted:
            raise Failed(
                f"there is no version {number}; the newest is {entries[0].number}",
                "`listeningpost history` shows them",
                ExitCode.USAGE,
            )
        (current,) = await directory.read(entries[:1])
        if wanted[0] == entries[0]:
            return current, current
        (chosen,) = await directory.read(wanted)
        return current, chosen
