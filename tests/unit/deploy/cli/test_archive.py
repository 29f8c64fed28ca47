"""A backup's file: whole or refused, before anything is touched."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, cast

import pytest

from deploy.cli.archive import FORMAT, Manifest, Reader, Writer, member_of
from deploy.cli.output import Failed

MADE = datetime(2026, 5, 4, 2, 0, tzinfo=UTC)
DOCUMENT = b"\x05\x00\x00\x00\x00"


class _Unseekable(io.RawIOBase):
    """A pipe, as far as the writer can tell."""

    def __init__(self) -> None:
        self.written = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:  # noqa: ANN401 - any buffer
        self.written += data
        return len(data)


async def _documents(*counts: int) -> AsyncIterator[tuple[bytes, int]]:
    for count in counts:
        yield DOCUMENT * count, count


async def made(**stated: Any) -> bytes:  # noqa: ANN401 - fields of a manifest
    out = _Unseekable()
    writer = Writer(cast("IO[bytes]", out), MADE)
    await writer.add(member_of("feedback"), _documents(3, 1_000))
    await writer.add(member_of("deliveries"), _documents())
    fields: dict[str, Any] = {"format": FORMAT, "release": "0.1.0", "made_at": MADE, "database": "post"}
    writer.finish(Manifest(**{**fields, "members": writer.members, **stated}))
    return bytes(out.written)


def written(home: Path, content: bytes) -> Path:
    file = home / "backup.zip"
    file.write_bytes(content)
    return file


async def test_what_goes_in_comes_out_and_is_counted(tmp_path: Path) -> None:
    reader = Reader(written(tmp_path, await made()))
    seen: list[int] = []
    reader.verify(seen.append)
    assert reader.manifest.documents == 1_003
    assert sum(seen) == reader.manifest.size_bytes == 1_003 * len(DOCUMENT)
    assert set(reader.manifest.collections) == {"feedback", "deliveries"}
    assert b"".join(reader.parts(member_of("feedback"))) == DOCUMENT * 1_003
    reader.close()


async def test_what_was_cut_off_is_no_backup(tmp_path: Path) -> None:
    whole = await made()
    for size in (0, 10, len(whole) // 2, len(whole) - 1):
        with pytest.raises(Failed, match="no whole backup"):
            Reader(written(tmp_path, whole[:size]))


async def test_a_byte_that_changed_is_found(tmp_path: Path) -> None:
    whole = bytearray(await made())
    at = whole.index(b"feedback.bson") + 40
    whole[at] ^= 0xFF
    reader = Reader(written(tmp_path, bytes(whole)))
    with pytest.raises(Failed, match=r"is damaged: collections/feedback\.bson"):
        reader.verify(lambda _: None)
    reader.close()


async def test_a_member_that_somebody_put_in_its_place_is_found(tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(await made())) as before:
        manifest = before.read("manifest.json")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as after:
        after.writestr(member_of("feedback"), DOCUMENT * 1_002)
        after.writestr(member_of("deliveries"), b"")
        after.writestr("manifest.json", manifest)
    reader = Reader(written(tmp_path, out.getvalue()))
    with pytest.raises(Failed, match="is damaged"):
        reader.verify(lambda _: None)
    reader.close()


async def test_a_form_of_the_future_is_refused_and_more_in_the_manifest_is_not(tmp_path: Path) -> None:
    with pytest.raises(Failed, match=r"made by release 9\.0\.0"):
        Reader(written(tmp_path, await made(format=FORMAT + 1, release="9.0.0")))
    with zipfile.ZipFile(io.BytesIO(await made())) as before:
        stated = json.loads(before.read("manifest.json")) | {"moon": "full"}
    assert Manifest.model_validate(stated).release == "0.1.0"
