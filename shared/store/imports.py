"""How far each import is. Written by ingest for whoever imports; one document an import."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import datetime

from pymongo import DESCENDING, ReturnDocument
from pymongo.errors import DuplicateKeyError

from shared.domain.import_run import ImportRun
from shared.errors import InvalidInput, Reason
from shared.store.connection import Document, Store, guard
from shared.store.owners import IMPORTS

_TIMES = ("started_at", "updated_at", "finished_at")


class ImportStore:
    """All methods raise DependencyDown while MongoDB is away."""

    def __init__(self, store: Store) -> None:
        self._collection = store.collection(IMPORTS.name)

    async def get(self, import_id: str) -> ImportRun | None:
        with guard():
            row = await self._collection.find_one({"_id": import_id})
        return _run(row) if row is not None else None

    async def newest(self, limit: int = 100) -> list[ImportRun]:
        """The latest first, by when they last moved."""
        with guard():
            rows = await self._collection.find().sort("updated_at", DESCENDING).to_list(limit)
        return [_run(row) for row in rows]

    async def put(self, run: ImportRun, *, finished: bool, now: datetime) -> ImportRun:
        """It is as far as `run` says; when it began is kept, and the rest of its times is ours.

        Raises InvalidInput FORBIDDEN for an import that a key of another source began.
        """
        times: Document = {"updated_at": now, "finished_at": now if finished else None}
        written = {**asdict(replace(run, mapping=dict(run.mapping))), **times}
        for name in ("id", "started_at"):
            del written[name]
        try:
            with guard():
                row = await self._collection.find_one_and_update(
                    {"_id": run.id, "source": run.source},
                    {"$set": written, "$setOnInsert": {"started_at": now}},
                    upsert=True,
                    return_document=ReturnDocument.AFTER,
                )
        except DuplicateKeyError:
            raise InvalidInput(
                Reason.FORBIDDEN,
                "a key of another system began this import",
                remedy="Use a key with the same source, or import under another --source.",
            ) from None
        return _run(row)

    async def expire(self, before: datetime) -> int:
        """Those that moved last before then go; how many."""
        with guard():
            return (await self._collection.delete_many({"updated_at": {"$lt": before}})).deleted_count


def _run(row: Document) -> ImportRun:
    fields = {name: row[name] for name in ImportRun.__slots__ if name in row}
    return ImportRun(id=row["_id"], **fields)
