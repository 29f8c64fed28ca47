"""A piece as a document and back, and what is left of a deleted one."""

from __future__ import annotations

from shared.domain.revision import Head
from shared.events.feedback import Change, FeedbackClassified, FeedbackReceived, Speaker
from shared.store.connection import Document
from shared.store.feedback_old import ANONYMISED_AT

_NOBODY = Speaker(person_id="").model_dump()
#: What is left of a deleted piece: no text, no people, no tags; enough to publish the deletion again.
TOMBSTONE = frozenset(
    {
        "feedback_id",
        "channel",
        "source",
        "revision",
        "change",
        "mode",
        "occurred_at",
        "received_at",
        "cause",
        "tag_revision",
        "classified_at",
    }
)


#: How a piece came stays when the same comes once more: an import of what was live makes it no old row.
_CAME_AS = {"mode", "batch"}


def head_of(document: Document) -> Head:
    return Head(
        document["revision"], document.get("content_hash", ""), document["change"] == Change.DELETED.value
    )


def document_of(piece: FeedbackClassified) -> Document:
    document: Document = piece.model_dump(exclude_none=True)
    if piece.change is Change.DELETED:
        document = {name: document[name] for name in document if name in TOMBSTONE}
        document["deleted_at"] = piece.classified_at
    document["_id"] = piece.feedback_id
    return document


def taking_over(event: FeedbackReceived) -> Document:
    """The update that makes a document say what the event says: what is not in it is not in the document."""
    missing = {name: "" for name, value in event.__dict__.items() if value is None and name not in _CAME_AS}
    missing |= {ANONYMISED_AT: ""}
    update: Document = {"$set": event.model_dump(exclude=_CAME_AS, exclude_none=True)}
    return update | {"$unset": missing}


def event_of(document: Document) -> FeedbackClassified:
    if "reported_by" not in document:
        document = {**document, "reported_by": _NOBODY}
    return FeedbackClassified.model_validate(document)
