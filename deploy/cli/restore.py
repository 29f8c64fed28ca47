"""`listeningpost restore`: the database as a backup has it, and nothing of it is sent a second time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from importlib import metadata
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from deploy.cli import archive, connect, restoring
from deploy.cli.bar import Bar, bar
from deploy.cli.output import ExitCode, Failed, Json, examples, print_json, remarks
from deploy.cli.settings import CliSettings, settings
from shared import clock
from shared.bus.rewind import Rewound
from shared.domain.fence import Fence
from shared.store.connection import Store
from shared.store.dump import DUMPED, empty, sizes, split, write
from shared.store.fence import FenceStore
from shared.store.owners import MIGRATIONS

_LENGTH_BYTES = 4


def register(app: typer.Typer) -> None:
    lines = (
        "listeningpost restore monday.zip --dry-run",
        "listeningpost restore monday.zip",
        "listeningpost restore monday.zip --replace --yes",
    )
    app.command("restore", epilog=examples(*lines))(restore)


def restore(
    *,
    file: Annotated[Path, typer.Argument(help="What `listeningpost backup` wrote.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Also over what the database holds; that is gone then.")
    ] = False,
    replay: Annotated[
        bool, typer.Option("--replay/--no-replay", help="Whether what came since is read from Kafka again.")
    ] = True,
    spool: Annotated[
        Path | None, typer.Option(help="Where ingest's spool lies, for what the backup has of it.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only check the file, and look.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Put the database back as a backup has it. Stop every service first.

    The file is checked before anything is touched. What came since is read from Kafka again. What may have
    been told before is held: `listeningpost held` lists it. Whoever was erased since is erased again. What
    broke off half way is run once more; until then no service starts.
    """
    where = settings()
    backup = archive.Reader(file)
    try:
        with bar("checking", quiet=as_json) as progress:
            progress.total(backup.manifest.size_bytes, "bytes")
            backup.verify(progress.moved)
        found = asyncio.run(_look(where, replace=replace))
        _say(file, backup.manifest, found, spool, quiet=as_json)
        if dry_run:
            if as_json:
                print_json({"dry_run": True, "replaced": found, **backup.manifest.model_dump(mode="json")})
            return
        if not (yes or as_json) and not typer.confirm(_question(where, found), err=True):
            raise Failed("nothing was changed")
        with bar("restoring", quiet=as_json) as progress:
            ready = asyncio.run(_restore(where, backup, spool, progress, replay=replay))
    finally:
        backup.close()
    if as_json:
        print_json({"documents": backup.manifest.documents, **restoring.as_json(ready)})
    else:
        restoring.show(ready)


async def _look(where: CliSettings, *, replace: bool) -> int:
    """About how many documents there are. Raises Failed where that, or a service, stands in the way."""
    await restoring.nobody_works(where)
    async with connect.store(where) as store:
        there = {name: count for name, count in (await sizes(store)).items() if count}
        begun = not (await FenceStore(store).get()).is_whole
    there.pop(MIGRATIONS.name, None)
    if there and not (replace or begun):
        held = ", ".join(f"{count:,} in {name}" for name, count in sorted(there.items()))
        raise Failed(f"the database {where.mongo.database} is not empty: {held}", "--replace, if that may go")
    return sum(there.values())


def _say(file: Path, manifest: archive.Manifest, found: int, spool: Path | None, *, quiet: bool) -> None:
    if quiet:
        return
    made = f"{manifest.made_at.astimezone():%Y-%m-%d %H:%M:%S}"
    said = f"{file}: {manifest.documents:,} documents of {made}, by release {manifest.release}; all is well."
    remarks().print(Text(said), soft_wrap=True)
    if manifest.release != metadata.version("listeningpost"):
        remarks().print("It is brought to what this release needs.")
    if found:
        remarks().print(f"About {found:,} documents that are there now go.")
    if spool is None and any(name.startswith(archive.SPOOL) for name in manifest.members):
        remarks().print("It has some of ingest's spool: name its folder with --spool.")


def _question(where: CliSettings, found: int) -> str:
    return f"{'Replace' if found else 'Fill'} the database {where.mongo.database}?"


async def _restore(
    where: CliSettings, backup: archive.Reader, spool: Path | None, progress: Bar, *, replay: bool
) -> restoring.Ready:
    """Until the last step no service starts, and then what may have been told is held."""
    rewound: tuple[Rewound, ...] = ()
    if replay:
        rewound = tuple(await restoring.rewound(where, backup.manifest))
    fence = Fence(clock.now(), backup.manifest.made_at, is_whole=False)
    async with connect.store(where) as store:
        await FenceStore(store).put(fence)
        await empty(store)
        progress.total(backup.manifest.documents, "documents")
        for name in backup.manifest.collections:
            if name in DUMPED:
                await _load(store, backup, name, progress)
        if spool is not None:
            _fill(backup, spool)
        held = await restoring.finish(store, fence)
    return restoring.Ready(fence, held, rewound)


async def _load(store: Store, backup: archive.Reader, name: str, progress: Bar) -> None:
    async def documents() -> AsyncIterator[bytes]:
        rest = b""
        for part in backup.parts(archive.member_of(name)):
            rest += part
            whole = _whole(rest)
            for document in split(rest[:whole]):
                progress.moved(1)
                yield document
            rest = rest[whole:]

    expected = backup.manifest.collections[name].documents
    written = await write(store, name, documents())
    if written != expected:
        raise Failed(f"{name}: {written} of {expected} documents", "run it again", ExitCode.FOUND)


def _whole(raw: bytes) -> int:
    """How many bytes of it are whole documents."""
    end = 0
    while len(raw) - end >= _LENGTH_BYTES:
        length = int.from_bytes(raw[end : end + _LENGTH_BYTES], "little")
        if length <= _LENGTH_BYTES or end + length > len(raw):
            break
        end += length
    return end


def _fill(backup: archive.Reader, spool: Path) -> None:
    """Where ingest finds it: a folder of a replica that is gone, whatever else lies there."""
    for name in backup.manifest.members:
        if not name.startswith(archive.SPOOL):
            continue
        path = (spool / name.removeprefix(archive.SPOOL)).resolve()
        if not path.is_relative_to(spool.resolve()):
            raise Failed(f"{name} leads out of {spool}")
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as out:
            for part in backup.parts(name):
                out.write(part)
