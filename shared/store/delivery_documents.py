"""A delivery as a document and back; by hand, because `dataclasses.asdict` takes ten times as long."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from shared.domain.delivery import (
    WITHDRAWN,
    Attempt,
    Content,
    Delivery,
    ProviderRef,
    Purpose,
    Settled,
    State,
    Target,
)
from shared.events.words import known
from shared.store.connection import Document
from shared.store.summary_documents import summary_document, summary_from


@dataclass(frozen=True, slots=True)
class Tried:
    """One attempt. `problem` holds neither an address nor feedback."""

    at: datetime
    receiver: str
    outcome: Attempt
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class History:
    """A row, when it was planned and sent, and its last attempts, the oldest first."""

    row: Delivery
    planned_at: datetime
    sent_at: datetime | None
    attempts: tuple[Tried, ...]


def history_from(document: Document) -> History:
    tried = (
        Tried(entry["at"], entry["receiver"], known(entry["outcome"], Attempt.UNKNOWN), entry.get("problem"))
        for entry in document.get("attempts", ())
    )
    row = delivery_from(document)
    return History(row, document.get("planned_at", row.due_at), document.get("sent_at"), tuple(tried))


_PURPOSES = frozenset(Purpose)
#: Matches what this release can say anything of.
KNOWN = {"$in": sorted(_PURPOSES)}
_CONTENT_FIELDS = tuple(field.name for field in fields(Content))
_CONTENT_TUPLES = frozenset({"touchpoints", "lenses", "urgency_reasons", "attachments"})


def document_of(row: Delivery) -> Document:
    """What is inserted. What is not known yet is left out."""
    document: Document = {
        "_id": row.id,
        "notice_id": row.notice_id,
        "feedback_id": row.feedback_id,
        "purpose": row.purpose.value,
        "recipient": row.recipient,
        "chain": [_target_document(target) for target in row.chain],
        "position": row.position,
        "state": row.state.value,
        "due_at": row.due_at,
        "urgent": row.urgent,
        "revision": row.revision,
        "received_at": row.received_at,
        "planned_at": row.due_at,
        "content": content_document(row.content),
        "why": list(row.why),
        "tries": row.tries,
    }
    if row.amends is not None:
        document["amends"] = row.amends
        document["in_place_only"] = row.in_place_only
    if row.problem is not None:
        document["problem"] = row.problem
    if row.held_at is not None:
        document["held_at"] = row.held_at
    if row.trace is not None:
        document["trace"] = row.trace
    if row.summary is not None:
        document["summary"] = summary_document(row.summary)
    return document


def deliveries_from(documents: Iterable[Document]) -> list[Delivery]:
    """Without rows of a purpose that only a newer release knows: it cannot be said what they are."""
    return [delivery_from(document) for document in documents if document["purpose"] in _PURPOSES]


def delivery_from(document: Document) -> Delivery:
    """A state that only a newer release knows is `held`: nobody sends it, and it is not over."""
    ref = document.get("provider_ref")
    return Delivery(
        id=document["_id"],
        notice_id=document["notice_id"],
        feedback_id=document["feedback_id"],
        purpose=Purpose(document["purpose"]),
        recipient=document["recipient"],
        chain=tuple(_target_from(target) for target in document["chain"]),
        due_at=document["due_at"],
        revision=document["revision"],
        received_at=document["received_at"],
        content=_content_from(document["content"]),
        why=tuple(document["why"]),
        urgent=document["urgent"],
        state=known(document["state"], State.HELD),
        position=document["position"],
        tries=document["tries"],
        trying_since=document.get("trying_since"),
        amends=document.get("amends"),
        in_place_only=document.get("in_place_only", False),
        provider_ref=ProviderRef(ref["receiver"], ref["address"], ref["id"]) if ref is not None else None,
        problem=document.get("problem"),
        claimed_at=document.get("claimed_at"),
        held_at=document.get("held_at"),
        trace=document.get("trace"),
        summary=summary_from(document["summary"]) if "summary" in document else None,
    )


def content_document(content: Content) -> Document:
    """Only what says something: most fields of most pieces are empty."""
    document: Document = {}
    for name in _CONTENT_FIELDS:
        value = getattr(content, name)
        if value and value != "und":
            document[name] = list(value) if name in _CONTENT_TUPLES else value
    return document


def _content_from(document: Document) -> Content:
    if not document:
        return WITHDRAWN
    known: dict[str, Any] = {
        name: tuple(value) if name in _CONTENT_TUPLES else value
        for name, value in document.items()
        if name in _CONTENT_FIELDS
    }
    return Content(**known)


def _target_document(target: Target) -> Document:
    document: Document = {"receiver": target.receiver, "address": target.address}
    if target.thread is not None:
        document["thread"] = target.thread
    if target.secret is not None:
        document["secret"] = target.secret
    return document


def _target_from(document: Document) -> Target:
    return Target(document["receiver"], document["address"], document.get("thread"), document.get("secret"))


def ref_document(ref: ProviderRef) -> Document:
    return {"receiver": ref.receiver, "address": ref.address, "id": ref.id}


def attempt_document(row: Delivery, settled: Settled, now: datetime) -> Document:
    """One line of the row's history."""
    target = row.target
    document: Document = {
        "at": now,
        "receiver": target.receiver if target is not None else "",
        "outcome": settled.attempt.value,
    }
    if settled.problem is not None:
        document["problem"] = settled.problem
    return document
