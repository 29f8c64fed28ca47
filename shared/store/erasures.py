"""The ledger of erasures: who is forgotten, what is still to be done about it, and what was done.

Ingest makes the entries, since it holds the key; every service writes down its own part, and nothing else.
"""

from __future__ import annotations

from collections.abc import Collection as Several
from collections.abc import Mapping
from datetime import datetime

from pymongo.errors import DuplicateKeyError

from shared.domain.erasure import Erasure, Ledger, Order, Part
from shared.events.erasure import ContributorErased
from shared.events.topics import ERASED
from shared.store.connection import Document, Store, guard
from shared.store.follow import Follower
from shared.store.owners import ERASURES
from shared.store.pending import with_pending


class ErasureStore:
    """Every method raises DependencyDown while the store is away; all of them may be repeated."""

    def __init__(self, store: Store) -> None:
        self._collection = store.collection(ERASURES.name)

    async def add(self, entry: Erasure) -> None:
        """It is in the ledger, and the event that tells of it is on its way."""
        event = ContributorErased(
            ledger_id=entry.id,
            marks=tuple(sorted(entry.marks)),
            asked_by=entry.asked_by,
            asked_at=entry.asked_at,
        )
        update = with_pending({"$set": _document(entry)}, ERASED.name, [event])
        with guard():
            await self._collection.update_one({"_id": entry.id}, update, upsert=True)

    async def put_back(self, entry: Erasure) -> bool:
        """An entry that a restored backup did not have is there again; False where it was there."""
        try:
            with guard():
                await self._collection.insert_one({"_id": entry.id, **_document(entry)})
        except DuplicateKeyError:
            return False
        return True

    async def reopen(self, entry_id: str, order: Order) -> None:
        """What it says is to be forgotten once more: something of it has come back."""
        changed = {"order": _order_document(order), "changed_at": order.given_at, "parts": {}}
        with guard():
            await self._collection.update_one(
                {"_id": entry_id}, {"$set": changed, "$unset": {"completed_at": ""}}
            )

    async def entries(self) -> list[Erasure]:
        """The oldest first."""
        with guard():
            found = await self._collection.find().sort("asked_at", 1).to_list(None)
        return [_entry(document) for document in found]

    async def get(self, entry_id: str) -> Erasure | None:
        with guard():
            document = await self._collection.find_one({"_id": entry_id})
        return _entry(document) if document is not None else None

    async def found(self, entry_id: str, pieces: Several[str]) -> None:
        """These pieces belong to the order as well: they came in while it was given."""
        if pieces:
            update = {"$addToSet": {"order.pieces": {"$each": sorted(pieces)}}}
            with guard():
                await self._collection.update_one({"_id": entry_id, "order": {"$exists": True}}, update)

    async def did(
        self, entry_id: str, part: str, passes: int, counts: Mapping[str, int], now: datetime
    ) -> None:
        """`part` has made so many passes; what went in this one is added to what went before."""
        update: Document = {
            "$set": {f"parts.{part}.passes": passes, f"parts.{part}.done_at": now, "changed_at": now},
            "$inc": {f"parts.{part}.counts.{name}": count for name, count in counts.items() if count},
        }
        with guard():
            await self._collection.update_one(
                {"_id": entry_id, "order": {"$exists": True}},
                {name: value for name, value in update.items() if value},
            )

    async def complete(self, entry_id: str, now: datetime) -> None:
        """Nothing of it is left anywhere, so the order, which names ids, goes as well."""
        update = {"$set": {"completed_at": now, "changed_at": now}, "$unset": {"order": ""}}
        with guard():
            await self._collection.update_one({"_id": entry_id}, update)

    async def mark(self) -> object:
        """Another one after every change; never None."""
        with guard():
            newest = await self._collection.find_one({}, {"changed_at": 1}, sort=[("changed_at", -1)])
            count = await self._collection.estimated_document_count()
        return (count, newest["_id"], newest["changed_at"]) if newest is not None else (0,)


class ErasureFollower(Follower[Ledger]):
    """The ledger in memory. A Component."""

    def __init__(self, store: Store) -> None:
        self._erasures = ErasureStore(store)
        super().__init__("erasures", self._read, self._erasures.mark)

    @property
    def ledger(self) -> Ledger:
        """Raises DependencyDown before it was first read."""
        return self.snapshot

    async def _read(self) -> Ledger:
        return Ledger(await self._erasures.entries())


def _document(entry: Erasure) -> Document:
    document: Document = {
        "marks": sorted(entry.marks),
        "asked_at": entry.asked_at,
        "asked_by": entry.asked_by,
        "changed_at": entry.order.given_at if entry.order is not None else entry.asked_at,
    }
    if entry.order is not None:
        document["order"] = _order_document(entry.order)
    return document


def _order_document(order: Order) -> Document:
    return {
        "given_at": order.given_at,
        "people": sorted(order.people),
        "accounts": sorted(order.accounts),
        "pieces": sorted(order.pieces),
    }


def _entry(document: Document) -> Erasure:
    order = document.get("order")
    parts = {
        name: Part(part["passes"], part["done_at"], part.get("counts", {}))
        for name, part in document.get("parts", {}).items()
    }
    return Erasure(
        id=document["_id"],
        marks=frozenset(document["marks"]),
        asked_at=document["asked_at"],
        asked_by=document.get("asked_by", ""),
        order=Order(
            order["given_at"],
            frozenset(order["people"]),
            frozenset(order["accounts"]),
            frozenset(order["pieces"]),
        )
        if order is not None
        else None,
        parts=parts,
        completed_at=document.get("completed_at"),
    )
