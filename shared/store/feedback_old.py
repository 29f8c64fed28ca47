"""Queries and updates for pieces that were kept long enough."""

from __future__ import annotations

from datetime import datetime, timedelta

from pymongo import UpdateOne

from shared.events.feedback import Change, FeedbackClassified
from shared.store.connection import Document

#: When a piece was made nobody's, or went but for its tombstone. Ingest then lets go of its attachments.
ANONYMISED_AT, EXPIRED_AT = "anonymised_at", "expired_at"
#: How long the tombstone of a piece that expired stays: longer than topics could bring the piece back.
GRACE = timedelta(days=8)
#: Optional fields that an anonymised piece has not, so that they go from the document.
_GONE = ("external_id", "thread_id", "url", "codename", "reply_to")


def with_names(before: datetime) -> Document:
    return {
        "received_at": {"$lt": before},
        ANONYMISED_AT: {"$exists": False},
        "change": {"$ne": Change.DELETED.value},
    }


def anonymising(piece: FeedbackClassified, now: datetime) -> UpdateOne:
    """Unless it was edited since it was read."""
    return UpdateOne(
        {"_id": piece.feedback_id, "revision": piece.revision, ANONYMISED_AT: {"$exists": False}},
        {
            "$set": {**piece.model_dump(exclude_none=True), ANONYMISED_AT: now},
            "$unset": dict.fromkeys(_GONE, ""),
        },
    )


def expiring(now: datetime, kept: frozenset[str]) -> list[Document]:
    """An update that leaves what a tombstone has."""
    fields: Document = {name: f"${name}" for name in sorted(kept)}
    stone = {**fields, "_id": "$_id", "change": Change.DELETED.value, "deleted_at": now, EXPIRED_AT: now}
    return [{"$replaceWith": {**stone, "cause": "deleted"}}]


def let_go_since(since: datetime) -> Document:
    return {"$or": [{ANONYMISED_AT: {"$gte": since}}, {EXPIRED_AT: {"$gte": since}}]}
