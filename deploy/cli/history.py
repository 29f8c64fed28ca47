"""`listeningpost history`: the versions of the directory, by whom, how and what changed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Annotated

import typer

from deploy.cli import changes, connect
from deploy.cli.output import Json, examples, print_json, remarks, results, table
from deploy.cli.settings import settings
from shared.domain.difference import Difference, differences
from shared.store.directory import DirectoryStore, Version


def register(app: typer.Typer) -> None:
    app.command("history", epilog=examples("listeningpost history", "listeningpost history --last 5 --json"))(
        history
    )


def history(
    *,
    last: Annotated[int, typer.Option(min=1, max=200, help="How many, the newest first.")] = 20,
    as_json: Json = False,
) -> None:
    """Show who changed the workspace, when, how, and what.

    `listeningpost export --version N` writes one of them; `listeningpost apply` of it goes back to it.
    """
    versions, older = asyncio.run(_read(last))
    rows = [(version, _changed(version, before)) for version, before in _pairs(versions, older)]
    if as_json:
        print_json(
            [
                {**changes.version_json(version), "differences": [one.as_json() for one in found]}
                for version, found in rows
            ]
        )
        return
    if not rows:
        remarks().print(
            "No workspace is applied yet: `listeningpost apply company.yaml` makes the first version."
        )
        return
    shown = [
        (
            str(version.number),
            changes.minute(version.applied_at),
            version.author,
            version.origin.value,
            changes.summary(found),
        )
        for version, found in rows
    ]
    results().print(table(("version", "when", "by", "from", "what changed"), shown))


async def _read(last: int) -> tuple[tuple[Version, ...], Version | None]:
    """The newest versions, and the one before the oldest of them."""
    async with connect.store(settings()) as store:
        directory = DirectoryStore(store)
        versions = await directory.read((await directory.entries())[: last + 1])
        return (versions[:last], versions[last] if len(versions) > last else None)


def _pairs(versions: Sequence[Version], older: Version | None) -> Iterator[tuple[Version, Version | None]]:
    """Each with the one before it; the first of all has none."""
    yield from zip(versions, [*versions[1:], older], strict=False)


def _changed(version: Version, before: Version | None) -> tuple[Difference, ...]:
    return differences(before.workspace if before else None, version.workspace)
