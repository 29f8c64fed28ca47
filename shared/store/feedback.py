"""The pieces of feedback, as classified. Written by the classifier alone; one document a piece.

Every write is guarded by the rules of `shared/domain/revision.py`, inside the database: what several writers
do to one piece at once ends as if they had come one after the other. A method that writes returns the ids of
those it did *not* write, because somebody was faster; its caller looks again and decides anew.

All methods take a whole batch in one round trip, and raise DependencyDown while MongoDB is away.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from collections.abc import Collection as Several
from datetime import datetime
from typing import Any

from pymongo import ReplaceOne, UpdateOne
from pymongo.errors import BulkWriteError

from shared import clock
from shared.domain.bucket import Bucket
from shared.domain.coverage import Weighed
from shared.domain.revision import Head
from shared.domain.summary import Group, Sample
from shared.errors import DependencyDown, PermanentError, Reason
from shared.events.feedback import Change, FeedbackClassified, FeedbackReceived
from shared.store.away import is_away
from shared.store.connection import Document, Store, guard
from shared.store.feedback_documents import TOMBSTONE, document_of, event_of, head_of, taking_over
from shared.store.feedback_groups import (
    group_from,
    grouped,
    live_of_run,
    of_run,
    sampled,
    samples_from,
    without,
)
from shared.store.feedback_old import (
    EXPIRED_AT,
    anonymising,
    expiring,
    let_go_since,
    with_names,
)
from shared.store.feedback_people import identities_of, of_people
from shared.store.feedback_voices import unknown_domains, weighed_from, weighed_groups
from shared.store.owners import FEEDBACK

_DUPLICATE_KEY = 11000
_SEARCH_WITHIN_MS = 20_000
_HEAD = {"revision": 1, "content_hash": 1, "change": 1}
_ALIVE = {"$ne": Change.DELETED.value}


class FeedbackStore:
    """The collection `feedback`."""

    def __init__(self, store: Store) -> None:
        self._collection = store.collection(FEEDBACK.name)

    async def heads(self, feedback_ids: Sequence[str]) -> dict[str, Head]:
        """What is stored of these pieces; without those of which nothing is."""
        with guard():
            found = await self._collection.find({"_id": {"$in": list(feedback_ids)}}, _HEAD).to_list(None)
        return {document["_id"]: head_of(document) for document in found}

    async def get(self, feedback_ids: Sequence[str]) -> list[FeedbackClassified]:
        """These pieces as they are stored, deleted ones as tombstones; in no particular order."""
        with guard():
            found = await self._collection.find({"_id": {"$in": list(feedback_ids)}}).to_list(None)
        return [event_of(document) for document in found]

    async def said_in(self, channel: str, source: str, thread_id: str) -> list[str]:
        """External ids of the pieces of a thread, without deleted ones; in no particular order."""
        wanted = {"thread_id": thread_id, "channel": channel, "source": source, "change": _ALIVE}
        with guard():
            found = await self._collection.find(wanted, {"external_id": 1}).to_list(None)
        return [document["external_id"] for document in found if document.get("external_id")]

    async def live_of(self, bucket: Bucket) -> list[str]:
        """Ids of the live pieces of the bucket's run that are too old by now."""
        with guard():
            found = await self._collection.find(live_of_run(bucket), {"_id": 1}).to_list(None)
        return [document["_id"] for document in found]

    async def groups(self, bucket: Bucket, without_these: Several[str] = ()) -> list[Group]:
        """The pieces of the bucket's run, those that are alike together; in no particular order."""
        pipeline = grouped(without(of_run(bucket), without_these))
        with guard():
            found = await self._collection.aggregate(pipeline, allowDiskUse=True).to_list(None)
        return [group_from(document) for document in found]

    async def samples(self, bucket: Bucket, without_these: Several[str] = ()) -> list[Sample]:
        """A few pieces of the run for each touchpoint and polarity, the surest ones first."""
        pipeline = sampled(without(of_run(bucket), without_these))
        with guard():
            found = await self._collection.aggregate(pipeline, allowDiskUse=True).to_list(None)
        return [sample for document in found for sample in samples_from(document)]

    async def beginning(self, incomplete: str, most: int) -> list[str]:
        """Ids of at most `most` pieces that begin so; of those stored last while nothing is said."""
        query = {"_id": {"$regex": f"^{re.escape(incomplete.lower())}"}} if incomplete else {}
        with guard():
            cursor = self._collection.find(query, {"_id": 1}).limit(most)
            order = cursor if incomplete else cursor.sort("$natural", -1)
            return [document["_id"] for document in await order.to_list(None)]

    async def named(self, word: str, most: int) -> list[str]:
        """Ids of at most `most` pieces that `word` names.

        It is a feedback_id or its beginning, else what the provider calls the piece (a mail's Message-ID,
        with or without its brackets): for that every piece is looked at, for `_SEARCH_WITHIN_MS` at most.
        """
        begin = await self.beginning(word, most)
        if begin:
            return begin
        # What follows the # in a mail's id is a digest of what was said.
        external = {"external_id": {"$regex": f"^<?{re.escape(word.strip('<>'))}>?(#|$)"}}
        with guard():
            cursor = self._collection.find(external, {"_id": 1}).max_time_ms(_SEARCH_WITHIN_MS)
            return [document["_id"] for document in await cursor.limit(most).to_list(None)]

    async def weighed(self, since: datetime) -> Weighed:
        """How the pieces received since were weighed; tests are left out."""
        with guard():
            groups = self._collection.aggregate(weighed_groups(since))
            domains = self._collection.aggregate(unknown_domains(since), allowDiskUse=True)
            return weighed_from(await groups.to_list(None), await domains.to_list(None))

    async def of_people(self, people: Several[str], accounts: Several[str] = ()) -> set[str]:
        """Ids of the pieces that these reported, that were told for them, or that are of these accounts."""
        found: set[str] = set()
        with guard():
            for query in of_people(people, accounts):
                found |= {document["_id"] async for document in self._collection.find(query, {"_id": 1})}
        return found

    async def identities(self) -> AsyncIterator[tuple[str, str]]:
        """Kind and id of everybody of whom a piece is stored."""
        with guard():
            for pipeline in identities_of():
                async for document in self._collection.aggregate(pipeline, allowDiskUse=True):
                    yield document["kind"], document["_id"]

    async def with_names(self, before: datetime, most: int) -> list[FeedbackClassified]:
        """At most `most` pieces received before then that are not anonymised yet."""
        with guard():
            found = await self._collection.find(with_names(before)).limit(most).to_list(None)
        return [event_of(document) for document in found]

    async def anonymise(self, pieces: Sequence[FeedbackClassified]) -> int:
        """These stand in the place of what they were made of, unless that was edited meanwhile; how many."""
        writes = [anonymising(piece, clock.now()) for piece in pieces]
        with guard():
            return (await self._collection.bulk_write(writes, ordered=False)).modified_count

    async def expire(self, before: datetime) -> int:
        """Of pieces received before then tombstones are left; how many went."""
        alive = {"received_at": {"$lt": before}, "change": _ALIVE}
        with guard():
            return (
                await self._collection.update_many(alive, expiring(clock.now(), TOMBSTONE))
            ).modified_count

    async def remove_expired(self, before: datetime) -> int:
        """Tombstones of what expired before then go as well; how many."""
        with guard():
            return (await self._collection.delete_many({EXPIRED_AT: {"$lt": before}})).deleted_count

    async def let_go_since(self, since: datetime) -> list[str]:
        """Ids of what was anonymised or has expired since: nobody shows their attachments any more."""
        with guard():
            return [each["_id"] async for each in self._collection.find(let_go_since(since), {"_id": 1})]

    async def insert_new(self, pieces: Sequence[FeedbackClassified]) -> set[str]:
        """Those of which nothing was stored are. Twice as fast as an upsert, and most pieces are new."""
        documents = [document_of(piece) for piece in pieces]
        try:
            with guard():
                await self._collection.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            return {pieces[index].feedback_id for index in _duplicates(error)}
        return set()

    async def replace_if_newer(self, pieces: Sequence[FeedbackClassified]) -> set[str]:
        """Each takes the place of an older revision that was not deleted."""
        operations = [
            ReplaceOne(
                {"_id": piece.feedback_id, "revision": {"$lt": piece.revision}, "change": _ALIVE},
                document_of(piece),
                upsert=True,
            )
            for piece in pieces
        ]
        return await self._replace(operations, pieces)

    async def tombstone(self, tombstones: Sequence[FeedbackClassified]) -> set[str]:
        """Each takes the place of whatever was stored, unless that is as new a tombstone."""
        operations = [
            ReplaceOne(
                {
                    "_id": tombstone.feedback_id,
                    "$or": [{"change": _ALIVE}, {"revision": {"$lt": tombstone.revision}}],
                },
                document_of(tombstone),
                upsert=True,
            )
            for tombstone in tombstones
        ]
        return await self._replace(operations, tombstones)

    async def advance(self, events: Sequence[FeedbackReceived]) -> set[str]:
        """Each older revision of equal content takes over what the event says; tags and how it came stay.

        When some were not written all are returned: an update that meets nothing does not say whose it was.
        """
        operations = [
            UpdateOne(
                {
                    "_id": event.feedback_id,
                    "revision": {"$lt": event.revision},
                    "change": _ALIVE,
                    "content_hash": event.content_hash,
                },
                taking_over(event),
            )
            for event in events
        ]
        with guard():
            result = await self._collection.bulk_write(operations, ordered=False)
        met_all = result.matched_count == len(events)
        return set() if met_all else {event.feedback_id for event in events}

    async def _replace(
        self, operations: Sequence[ReplaceOne[Document]], pieces: Sequence[FeedbackClassified]
    ) -> set[str]:
        """An upsert whose guard does not hold is a duplicate key, which says whose it was."""
        try:
            with guard():
                await self._collection.bulk_write(list(operations), ordered=False)
        except BulkWriteError as error:
            return {pieces[index].feedback_id for index in _duplicates(error)}
        return set()


def _duplicates(error: BulkWriteError) -> list[int]:
    """Which of the operations met a document that was there already; raises for any other fault."""
    details: Mapping[str, Any] = error.details or {}
    faults = details.get("writeErrors", [])
    others = {fault["code"] for fault in faults} - {_DUPLICATE_KEY}
    if details.get("writeConcernErrors") or any(is_away(code) for code in others):
        raise DependencyDown("mongodb", "a bulk write was not acknowledged by a majority") from None
    if others:
        raise PermanentError(Reason.REJECTED, f"MongoDB refused a document: codes {sorted(others)}") from None
    return [fault["index"] for fault in faults]
