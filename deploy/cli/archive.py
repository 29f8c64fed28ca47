"""A backup as a file: a ZIP of what the database holds, one member a collection, and a manifest of them.

Members under `collections/` are BSON as `mongodump` writes it, so that `bsondump` and `mongorestore` read
them too. Written and read as a stream: of no member more than a piece is in memory.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from pydantic import BaseModel, ConfigDict, ValidationError

from deploy.cli.output import ExitCode, Failed
from shared.store.schema import Schema, Standing

#: Goes up when an older release could no longer read what is written.
FORMAT = 1
_MANIFEST = "manifest.json"
_CHUNK_BYTES = 1_048_576
#: How hard it is pressed: beyond this it takes three times as long for a twentieth less.
_LEVEL = 4
COLLECTIONS = "collections/"
SPOOL = "spool/"
WORKSPACE = "workspace.yaml"


class _Stated(BaseModel):
    """What a later release adds is passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Member(_Stated):
    """`documents` is 0 for what is no collection."""

    size_bytes: int
    sha256: str
    documents: int = 0


class Offsets(_Stated):
    """Where `group` was in `topic` when the dump began."""

    topic: str
    group: str
    offsets: Mapping[int, int]


class Manifest(_Stated):
    """`made_at`: when the dump began. `offsets` is empty where Kafka was not asked.

    `schema_number` is of the database, 0 in backups of before there was one.
    """

    format: int
    release: str
    schema_number: int = 0
    made_at: datetime
    database: str
    members: Mapping[str, Member]
    cluster: str = ""
    offsets: tuple[Offsets, ...] = ()

    @property
    def documents(self) -> int:
        return sum(member.documents for member in self.members.values())

    @property
    def size_bytes(self) -> int:
        return sum(member.size_bytes for member in self.members.values())

    @property
    def collections(self) -> dict[str, Member]:
        """By the collection's name."""
        return {
            name.removeprefix(COLLECTIONS).removesuffix(".bson"): member
            for name, member in self.members.items()
            if name.startswith(COLLECTIONS)
        }


def member_of(collection: str) -> str:
    return f"{COLLECTIONS}{collection}.bson"


class Writer:
    """Puts members into `out`, which need not be able to seek."""

    def __init__(self, out: IO[bytes], made_at: datetime) -> None:
        self._zip = zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL)
        self._made_at = made_at
        self.members: dict[str, Member] = {}

    async def add(self, name: str, parts: AsyncIterator[tuple[bytes, int]]) -> None:
        """A member of these bytes, each with how many documents it is."""
        size_bytes, documents, digest = 0, 0, hashlib.sha256()
        with self._zip.open(self._info(name), "w", force_zip64=True) as member:
            async for part, count in parts:
                member.write(part)
                digest.update(part)
                size_bytes += len(part)
                documents += count
        self.members[name] = Member(size_bytes=size_bytes, sha256=digest.hexdigest(), documents=documents)

    def finish(self, manifest: Manifest) -> None:
        """Without its manifest, which comes last, it is no backup."""
        self._zip.writestr(self._info(_MANIFEST), manifest.model_dump_json(indent=2))
        self._zip.close()

    def _info(self, name: str) -> zipfile.ZipInfo:
        info = zipfile.ZipInfo(name, self._made_at.timetuple()[:6])
        info.compress_type = zipfile.ZIP_DEFLATED
        # It holds what people said.
        info.external_attr = 0o600 << 16
        return info


class Reader:
    """Raises Failed for what is no backup, or one that this release cannot read."""

    def __init__(self, file: Path) -> None:
        self._file = file
        try:
            self._zip = zipfile.ZipFile(file)
            stated: Any = self._zip.read(_MANIFEST)
        except OSError as error:
            raise Failed(f"{file}: {error.strerror}", code=ExitCode.USAGE) from None
        except (zipfile.BadZipFile, KeyError):
            remedy = "it was cut off, or is another file; nothing was changed"
            raise Failed(f"{file} is no whole backup", remedy) from None
        try:
            self.manifest = Manifest.model_validate_json(stated)
        except ValidationError:
            raise Failed(f"{file}: its manifest cannot be read") from None
        is_unknown = Schema(self.manifest.schema_number).standing is Standing.UNKNOWN
        if self.manifest.format > FORMAT or is_unknown:
            detail = f"{file} was made by release {self.manifest.release}, in a form this one does not know"
            raise Failed(detail, "restore it with that release or a newer one")

    def close(self) -> None:
        self._zip.close()

    def verify(self, progress: Callable[[int], None]) -> None:
        """Every byte is there as the manifest says. `progress` hears of bytes. Raises Failed."""
        for name, member in self.manifest.members.items():
            size_bytes, digest = 0, hashlib.sha256()
            for part in self.parts(name):
                digest.update(part)
                size_bytes += len(part)
                progress(len(part))
            if (size_bytes, digest.hexdigest()) != (member.size_bytes, member.sha256):
                raise self._damaged(name)

    def parts(self, name: str) -> Iterator[bytes]:
        """A member, a piece at a time. Raises Failed where it is damaged."""
        try:
            with self._zip.open(name) as member:
                while part := member.read(_CHUNK_BYTES):
                    yield part
        except (KeyError, EOFError, OSError, zipfile.BadZipFile, zipfile.zlib.error):  # type: ignore[attr-defined]
            raise self._damaged(name) from None

    def _damaged(self, name: str) -> Failed:
        return Failed(f"{self._file} is damaged: {name}", "take another copy of it; nothing was changed")
