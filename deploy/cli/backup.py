"""`listeningpost backup`: everything in the database, as it was at one moment, in one file."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, nullcontext
from importlib import metadata
from pathlib import Path
from typing import IO, Annotated

import typer
from rich.text import Text

from deploy.cli import archive, connect
from deploy.cli.bar import Bar, bar
from deploy.cli.output import ExitCode, Failed, Json, examples, print_json, remarks
from deploy.cli.settings import CliSettings, settings
from shared import clock
from shared.bus.condition import cluster
from shared.bus.rewind import positions
from shared.domain.declaration import mark
from shared.domain.yaml_text import write_workspace
from shared.errors import DependencyDown
from shared.store.connection import Store
from shared.store.directory import DirectoryStore
from shared.store.dump import DUMPED, SnapshotGoneError, read, sizes, snapshot, split
from shared.store.schema import SchemaStore

_PART_BYTES = 1_048_576


def register(app: typer.Typer) -> None:
    lines = ("listeningpost backup monday.zip", "listeningpost backup - > monday.zip")
    app.command("backup", epilog=examples(*lines))(backup)


def backup(
    *,
    file: Annotated[str, typer.Argument(help="Where it is written; - is stdout.")],
    spool: Annotated[
        Path | None, typer.Option(help="Ingest's spool, too: what Kafka has not got yet.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Also over a file that is there.")] = False,
    at_one_moment: Annotated[
        bool,
        typer.Option(
            "--at-one-moment/--as-it-is-read",
            help="The database at one moment; or each collection as it is when it is read.",
        ),
    ] = True,
    as_json: Json = False,
) -> None:
    """Write everything in the database into one file.

    `listeningpost restore` reads it. The services go on meanwhile. It holds what people said, in clear, and
    no key: keep it safe, and the keys apart from it.
    """
    if as_json and file == "-":
        raise Failed("stdout cannot be both the backup and JSON", "name a file", ExitCode.USAGE)
    where = settings()
    with _opened(file, force=force) as out, bar("backing up", quiet=as_json) as progress:
        made = asyncio.run(_run(where, out, spool, progress, at_one_moment=at_one_moment))
    if as_json:
        print_json({"file": file, **made.model_dump(mode="json")})
        return
    said = f"{made.documents:,} documents of {made.made_at.astimezone():%Y-%m-%d %H:%M:%S}"
    remarks().print(Text(f"{file}: {said}" if file != "-" else said), soft_wrap=True)


@contextmanager
def _opened(file: str, *, force: bool) -> Iterator[IO[bytes]]:
    """Under its name stands a whole backup, or what stood there before; only its owner may read it."""
    if file == "-":
        yield sys.stdout.buffer
        sys.stdout.flush()
        return
    path = Path(file)
    if path.exists() and not force:
        raise Failed(f"{path} is there already", "name another one, or add --force", ExitCode.USAGE)
    part = path.with_name(f".{path.name}.part")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        part.replace(path)
    except OSError as error:
        raise Failed(f"{path}: {error.strerror}", code=ExitCode.USAGE) from None
    finally:
        part.unlink(missing_ok=True)


async def _run(
    where: CliSettings, out: IO[bytes], spool: Path | None, progress: Bar, *, at_one_moment: bool
) -> archive.Manifest:
    async with connect.store(where) as store:
        # First: what is read of the topics by now is in the dump, what is not is read again after a restore.
        offsets, name = await _offsets(where)
        made_at = clock.now()
        writer = archive.Writer(out, made_at)
        progress.total(sum((await sizes(store)).values()), "documents")
        try:
            await _collections(store, writer, progress, at_one_moment=at_one_moment)
        except SnapshotGoneError as error:
            remedy = (
                "--as-it-is-read, or let the server keep moments for longer: "
                "db.adminCommand({setParameter: 1, minSnapshotHistoryWindowInSeconds: 3600})"
            )
            raise Failed(str(error), remedy) from None
        await _workspace(store, writer)
        schema = await SchemaStore(store).found()
    if spool is not None:
        for path in _spooled(spool):
            await writer.add(f"{archive.SPOOL}{path.relative_to(spool)}", _file(path))
    manifest = archive.Manifest(
        format=archive.FORMAT,
        release=metadata.version("listeningpost"),
        schema_number=schema.number,
        made_at=made_at,
        database=where.mongo.database,
        cluster=name,
        offsets=offsets,
        members=writer.members,
    )
    writer.finish(manifest)
    return manifest


async def _offsets(where: CliSettings) -> tuple[tuple[archive.Offsets, ...], str]:
    """Where readers are, and in which cluster. A backup without it is better than none."""
    try:
        found = await positions(where.kafka)
        name = (await cluster(where.kafka)).name
    except DependencyDown as error:
        said = f"{error}: after a restore all that Kafka has will be read again"
        remarks().print(Text(said), soft_wrap=True)
        return (), ""
    return tuple(
        archive.Offsets(topic=one.topic, group=one.group, offsets=one.offsets) for one in found
    ), name


async def _collections(store: Store, writer: archive.Writer, progress: Bar, *, at_one_moment: bool) -> None:
    async def documents(name: str) -> AsyncIterator[tuple[bytes, int]]:
        async for raw in read(store, name, session):
            count = sum(1 for _ in split(raw))
            progress.moved(count)
            yield raw, count

    async with snapshot(store) if at_one_moment else nullcontext() as session:
        for name in DUMPED:
            await writer.add(archive.member_of(name), documents(name))


async def _workspace(store: Store, writer: archive.Writer) -> None:
    """The workspace in force, for people: it is among the documents as well.

    Left out where this release does not know all of it: whoever applied it would lose the rest.
    """
    current = await DirectoryStore(store).in_force()
    if current is not None and not current.passed_over:
        text = write_workspace(current.workspace, mark(current.workspace, current.number))
        await writer.add(archive.WORKSPACE, _once(text.encode()))


def _spooled(spool: Path) -> list[Path]:
    return sorted(path for path in spool.rglob("*") if path.is_file() and path.name != "lock")


async def _once(content: bytes) -> AsyncIterator[tuple[bytes, int]]:
    yield content, 0


async def _file(path: Path) -> AsyncIterator[tuple[bytes, int]]:
    """What is drained while it is read is in Kafka, and needs no backup."""
    try:
        with path.open("rb") as file:
            while part := file.read(_PART_BYTES):
                yield part, 0
    except FileNotFoundError:
        return
