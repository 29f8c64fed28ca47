"""When each source was last heard, and how long it is used to being silent. Written by ingest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pymongo import UpdateOne

from shared.domain.silence import Habit
from shared.store.connection import Document, Store, guard
from shared.store.owners import ARRIVALS

#: More sources than anybody has: what a key makes up beyond them is not followed.
_MOST = 500


@dataclass(frozen=True, slots=True)
class Source:
    """`habit` is what was learned so far; `heard_at` may be newer."""

    channel: str
    name: str
    heard_at: datetime
    habit: Habit


class ArrivalStore:
    """All methods raise DependencyDown while MongoDB is away."""

    def __init__(self, store: Store) -> None:
        self._collection = store.collection(ARRIVALS.name)

    async def heard(self, moments: Mapping[tuple[str, str], datetime]) -> None:
        """Each source was heard then, by one replica or another: the latest counts."""
        writes = [
            UpdateOne(
                {"_id": f"{channel} {name}"},
                {
                    "$max": {"heard_at": moment},
                    "$setOnInsert": {"channel": channel, "source": name, "learned_at": moment},
                },
                upsert=True,
            )
            for (channel, name), moment in moments.items()
        ]
        if writes:
            with guard():
                await self._collection.bulk_write(writes, ordered=False)

    async def sources(self) -> list[Source]:
        """Those that were heard most lately, 500 at most."""
        with guard():
            rows = await self._collection.find().sort("heard_at", -1).to_list(_MOST)
        return [_source(row) for row in rows]

    async def learned(self, source: Source, habit: Habit) -> None:
        """`habit` follows `source.habit`, unless another replica has written since."""
        longest = {str(hour): [list(gap) for gap in gaps] for hour, gaps in habit.longest.items()}
        with guard():
            await self._collection.update_one(
                {"_id": f"{source.channel} {source.name}", "learned_at": source.habit.heard_at},
                {"$set": {"learned_at": habit.heard_at, "longest": longest}},
            )


def _source(row: Document) -> Source:
    longest = {
        int(hour): tuple((int(began), float(gap)) for began, gap in gaps)
        for hour, gaps in row.get("longest", {}).items()
    }
    return Source(row["channel"], row["source"], row["heard_at"], Habit(row["learned_at"], longest))
