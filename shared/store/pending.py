"""Pending events: what console or command line change, and the event that tells of it, are one write.

The event waits in the changed document's own `pending_events`; `shared/relay.py` publishes and clears it. A
crash between the two publishes once more under the same event id.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.events.base import Event
from shared.store.connection import Document, Store, guard

FIELD = "pending_events"


@dataclass(frozen=True, slots=True)
class Pending:
    """One waiting event: where it stands, and what Kafka is to get."""

    document_id: object
    event_id: str
    topic: str
    event: Document


def with_pending(update: Document, topic: str, events: Sequence[Event]) -> Document:
    """`update` (of update operators) that also lays the events down, in the same atomic write."""
    waiting = [
        {
            "event_id": event.event_id,
            "topic": topic,
            "type": event.type,
            "event": event.model_dump(mode="json"),
        }
        for event in events
    ]
    return {**update, "$push": {**update.get("$push", {}), FIELD: {"$each": waiting}}}


class PendingStore:
    """The waiting events of one collection, oldest document first."""

    def __init__(self, store: Store, collection: str) -> None:
        self._collection = store.collection(collection)

    async def waiting(self, limit: int = 100) -> list[Pending]:
        """At most `limit` documents' events. Raises DependencyDown."""
        with guard():
            documents = await self._collection.find({f"{FIELD}.0": {"$exists": True}}, {FIELD: 1}).to_list(
                limit
            )
        return [
            Pending(document["_id"], entry["event_id"], entry["topic"], entry["event"])
            for document in documents
            for entry in document[FIELD]
        ]

    async def clear(self, published: Pending) -> None:
        """Forget one event after Kafka has it. Raises DependencyDown."""
        with guard():
            await self._collection.update_one(
                {"_id": published.document_id}, {"$pull": {FIELD: {"event_id": published.event_id}}}
            )
