"""Updates that take what was said, and where whoever spoke was answered, out of rows of deliveries."""

from __future__ import annotations

from collections.abc import Collection as Several
from datetime import datetime

from pymongo import UpdateMany

from shared.domain.delivery import CONTRIBUTOR, Purpose, State
from shared.store.connection import Document

DELETED = "the piece was deleted"
#: Nobody has them in hand, and nobody was told yet.
UNSENT = {"$in": [State.DUE.value, State.HELD.value]}
#: What is held is over as well, when nobody has decided for so long.
_OVER = [state.value for state in (State.SENT, State.FAILED, State.UNKNOWN, State.CANCELLED, State.HELD)]


def forgetting(feedback_ids: Several[str]) -> list[UpdateMany]:
    """Of pieces whose author is forgotten; what is not sent yet is cancelled."""
    mine: Document = {"feedback_id": {"$in": list(feedback_ids)}}
    unsent = {**mine, "state": UNSENT, "purpose": {"$ne": Purpose.REDACTION.value}}
    cancelled = {"state": State.CANCELLED.value, "problem": DELETED, "withdrawn": True}
    return [*_emptied(mine), UpdateMany(unsent, {"$set": cancelled})]


def over(before: datetime) -> Document:
    """Rows that came to an end, planned before then."""
    return {"planned_at": {"$lt": before}, "state": {"$in": _OVER}}


def fading(before: datetime) -> list[UpdateMany]:
    """They stay as a record of who was told when, and say nothing any more."""
    return _emptied(over(before))


def _emptied(rows: Document) -> list[UpdateMany]:
    answers = {**rows, "recipient": CONTRIBUTOR, "chain.address": {"$gt": ""}}
    nowhere = {"$set": {"chain.$[].address": "", "chain.$[].thread": None}, "$unset": {"provider_ref": ""}}
    empty = {"$set": {"content": {}, "withdrawn": True}}
    return [UpdateMany({**rows, "content": {"$nin": [{}, None]}}, empty), UpdateMany(answers, nowhere)]
