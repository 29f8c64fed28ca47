"""Which shape of the database a release knows, and what it does about one that a newer release has made.

The number is in the database before anything of that shape is. A release works with its own shape and the
next one, so that it can be rolled back to: then it leaves everything as it is. Further back none starts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from importlib import metadata

from shared import clock
from shared.store.connection import Document, Session, Store, guard
from shared.store.owners import MIGRATIONS

#: One more in each release that changes what a collection demands, an index, a migration, or what stored
#: documents mean. tests/contract/schemas has what each number stands for.
SCHEMA = 1
_ID = "schema"


class Standing(StrEnum):
    """`newer`: of the next release. `unknown`: of one after that, which may have removed what we need."""

    OLDER = "older"
    OURS = "ours"
    NEWER = "newer"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Schema:
    """The shape a database has, 0 for none yet, and the release that has made it."""

    number: int = 0
    release: str = ""

    @property
    def standing(self) -> Standing:
        ahead = self.number - SCHEMA
        if ahead < 0:
            return Standing.OLDER
        return {0: Standing.OURS, 1: Standing.NEWER}.get(ahead, Standing.UNKNOWN)

    def __str__(self) -> str:
        return f"{self.number} of release {self.release}" if self.number else "none yet"


#: What to do about `Standing.UNKNOWN`.
REMEDY = "start that release or the one before it; further back only a backup of the older release leads"


class SchemaStore:
    """The number, and which migrations were applied. Written under the lease for migrations alone.

    Every method raises DependencyDown while the store is away.
    """

    spec = MIGRATIONS

    def __init__(self, store: Store) -> None:
        self._collection = store.collection(MIGRATIONS.name)

    async def found(self) -> Schema:
        with guard():
            entry: Document | None = await self._collection.find_one({"_id": _ID})
        return Schema(entry["number"], entry.get("release", "")) if entry is not None else Schema()

    async def take(self, session: Session) -> None:
        """From now on the database is of our shape."""
        entry = {"number": SCHEMA, "release": metadata.version("listeningpost"), "taken_at": clock.now()}
        await self._collection.replace_one({"_id": _ID}, entry, upsert=True, session=session)

    async def applied(self) -> dict[int, datetime]:
        """When, by the number of the migration."""
        with guard():
            entries = await self._collection.find({"_id": {"$ne": _ID}}).to_list(None)
        return {entry["_id"]: entry["applied_at"] for entry in entries}

    async def write_down(self, number: int, title: str, by: str, session: Session) -> None:
        """The migration was applied."""
        entry = {"title": title, "applied_at": clock.now(), "by": by}
        await self._collection.replace_one({"_id": number}, entry, upsert=True, session=session)
