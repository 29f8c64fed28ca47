"""The whole database out, as it was at one moment, and in again: one BSON document after another.

What is of running processes stays out: leases, and the fence, which is of this database's own restores.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import cast

from bson.raw_bson import RawBSONDocument
from motor.motor_asyncio import AsyncIOMotorClientSession
from pymongo.errors import OperationFailure

from shared.errors import ListeningPostError
from shared.store.connection import Document, Store, guard
from shared.store.owners import COLLECTIONS

#: Attachments, most of the bytes, come last: by then a moment may be gone.
DUMPED = tuple(spec.name for spec in reversed(COLLECTIONS) if spec.backed_up)
#: SnapshotTooOld, SnapshotUnavailable. Source: src/mongo/base/error_codes.yml
_GONE = frozenset({239, 246})
_AT_ONCE = 1_000
_AT_ONCE_BYTES = 8_000_000
_LENGTH_BYTES = 4


class SnapshotGoneError(ListeningPostError):
    """The server keeps what was at one moment for a while only, five minutes unless it is told otherwise."""


@asynccontextmanager
async def snapshot(store: Store) -> AsyncIterator[AsyncIOMotorClientSession]:
    """Everything that is read in it is of one moment, and confirmed by a majority. Raises DependencyDown."""
    with guard():
        session = await store.db.client.start_session(snapshot=True)
    async with session:
        yield session


async def sizes(store: Store) -> dict[str, int]:
    """About how many documents each collection has. Raises DependencyDown."""
    with guard():
        return {name: await store.db[name].estimated_document_count() for name in DUMPED}


async def read(store: Store, name: str, session: AsyncIOMotorClientSession | None) -> AsyncIterator[bytes]:
    """Its documents, some at a time. Raises DependencyDown and SnapshotGoneError."""
    try:
        with guard():
            async for documents in store.db[name].find_raw_batches({}, session=session):
                yield bytes(documents)
    except OperationFailure as error:
        if error.code in _GONE:
            raise SnapshotGoneError(f"{name}: the server no longer has the moment") from error
        raise


def split(raw: bytes) -> Iterator[bytes]:
    """Each document in `raw`. Raises ValueError where that is not what it is."""
    start = 0
    while start < len(raw):
        end = start + int.from_bytes(raw[start : start + _LENGTH_BYTES], "little")
        if end <= start + _LENGTH_BYTES or end > len(raw):
            raise ValueError("cut off in a document")
        yield raw[start:end]
        start = end


async def empty(store: Store) -> None:
    """None of what a dump has is there any more, nor indexes and validators. Raises DependencyDown."""
    with guard():
        for name in DUMPED:
            await store.db[name].drop()


async def write(store: Store, name: str, documents: AsyncIterator[bytes]) -> int:
    """Into a collection that is empty; how many. Raises DependencyDown.

    What an older release wrote may lack what its validator asks for by now.
    """
    written, batch, size_bytes = 0, list[Document](), 0
    async for document in documents:
        batch.append(cast("Document", RawBSONDocument(document)))
        size_bytes += len(document)
        if len(batch) >= _AT_ONCE or size_bytes >= _AT_ONCE_BYTES:
            written += await _insert(store, name, batch)
            batch, size_bytes = [], 0
    return written + (await _insert(store, name, batch) if batch else 0)


async def _insert(store: Store, name: str, batch: list[Document]) -> int:
    with guard():
        await store.db[name].insert_many(batch, ordered=False, bypass_document_validation=True)
    return len(batch)
