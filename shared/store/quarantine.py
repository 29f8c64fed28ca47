"""What came in but is no feedback, or could not be read: kept with its reason, searched, replayed."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from shared.domain.quarantine import Quarantined, QuarantineReason
from shared.events.words import known
from shared.store.connection import Document, Store, guard
from shared.store.owners import QUARANTINE

_EXCERPT_CHARS = 4_000


class QuarantineStore:
    """Newest first."""

    def __init__(self, store: Store) -> None:
        self._collection = store.collection(QUARANTINE.name)

    async def keep(self, entries: Sequence[Quarantined]) -> None:
        """They are listed; one that is there already stays as it is. Raises DependencyDown."""
        with guard():
            for entry in entries:
                await self._collection.update_one(
                    {"_id": entry.id}, {"$setOnInsert": _document(entry)}, upsert=True
                )

    async def search(
        self,
        *,
        reason: QuarantineReason | None = None,
        channel: str | None = None,
        since: datetime | None = None,
        containing: str = "",
        limit: int = 100,
        whole: bool = True,
    ) -> list[Quarantined]:
        """Those that fit all that is given; `containing` is looked for in their first 4,000 characters.

        Unless `whole`, `raw` is left empty: a list of hundreds would be hundreds of megabytes.
        Raises DependencyDown.
        """
        query: Document = {}
        if reason is not None:
            query["reason"] = reason.value
        if channel is not None:
            query["channel"] = channel
        if since is not None:
            query["received_at"] = {"$gte": since}
        if containing:
            query["excerpt"] = {"$regex": re.escape(containing), "$options": "i"}
        with guard():
            fields = None if whole else {"raw": False, "excerpt": False}
            rows = await self._collection.find(query, fields).sort("received_at", -1).to_list(limit)
        return [_entry(row) for row in rows]

    async def count(self, *, since: datetime) -> int:
        """How many were put aside since then. Raises DependencyDown."""
        with guard():
            return await self._collection.count_documents({"received_at": {"$gte": since}})

    async def get(self, entry_id: str) -> Quarantined | None:
        """Raises DependencyDown."""
        with guard():
            row = await self._collection.find_one({"_id": entry_id})
        return _entry(row) if row is not None else None

    async def each(self, received_before: datetime) -> AsyncIterator[tuple[str, bytes]]:
        """Id and raw content of every entry of before then. Raises DependencyDown."""
        with guard():
            async for row in self._collection.find({"received_at": {"$lte": received_before}}, {"raw": 1}):
                yield row["_id"], bytes(row["raw"])

    async def expire(self, before: datetime) -> int:
        """Those received before then go; how many. Raises DependencyDown."""
        with guard():
            return (await self._collection.delete_many({"received_at": {"$lt": before}})).deleted_count

    async def remove(self, entry_id: str) -> bool:
        """True when it was there. Raises DependencyDown."""
        with guard():
            return bool((await self._collection.delete_one({"_id": entry_id})).deleted_count)


def _document(entry: Quarantined) -> Document:
    return {
        "channel": entry.channel,
        "source": entry.source,
        "reason": entry.reason.value,
        "detail": entry.detail,
        "raw": entry.raw,
        "size_bytes": entry.size_bytes,
        "received_at": entry.received_at,
        "excerpt": entry.raw[: _EXCERPT_CHARS * 4].decode("utf-8", "replace")[:_EXCERPT_CHARS],
    }


def _entry(row: Document) -> Quarantined:
    return Quarantined(
        id=row["_id"],
        channel=row["channel"],
        source=row["source"],
        reason=known(row["reason"], QuarantineReason.UNPARSABLE),
        detail=row["detail"],
        raw=bytes(row.get("raw", b"")),
        size_bytes=row["size_bytes"],
        received_at=row["received_at"],
    )
