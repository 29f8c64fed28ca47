"""Questions about many pieces at once, as MongoDB is asked: which, how many alike, which to quote."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from shared.domain.bucket import Bucket
from shared.domain.lens import Lens
from shared.domain.summary import Group, Sample
from shared.events.feedback import About, Cause, Kind, Mode, Polarity
from shared.events.words import known
from shared.store.connection import Document

#: How many samples of each touchpoint and polarity: some of them may be the reader's own words.
_SAMPLES = 4
_LENSES = frozenset(Lens)
_NOT_TOLD_SINGLY = [Mode.IMPORT.value, Mode.BACKFILL.value]


def of_run(bucket: Bucket) -> Document:
    """Matches the pieces of the run that is held: new ones, of modes that count and are not told one by one.

    What somebody has corrected or edited since was seen by somebody already.
    """
    classified: Document = {"$gte": bucket.first_at, "$lte": bucket.held_until}
    if bucket.told_until is not None:
        classified["$gt"] = bucket.told_until
    old = [{"occurred_at": {"$lt": bucket.old_before}}, {"received_at": {"$lt": bucket.old_before}}]
    which: Document = {"batch": bucket.batch}
    if bucket.batch is None:
        which |= {
            "channel": bucket.channel,
            "source": bucket.source,
            "mode": {"$in": [mode.value for mode in bucket.modes]},
            "received_at": {"$gte": bucket.received_from},
        }
    came = [{"mode": {"$in": _NOT_TOLD_SINGLY}}, {"mode": Mode.LIVE.value, "$or": old}]
    return {**which, "classified_at": classified, "cause": Cause.RECEIVED.value, "$or": came}


def live_of_run(bucket: Bucket) -> Document:
    """Of those the live ones, some of which may have been young enough when they came."""
    return {"$and": [of_run(bucket), {"mode": Mode.LIVE.value}]}


def without(matching: Document, feedback_ids: Collection[str]) -> Document:
    return {"$and": [matching, {"_id": {"$nin": list(feedback_ids)}}]} if feedback_ids else matching


def grouped(matching: Document) -> list[Document]:
    """The pipeline whose documents `group_from` reads."""
    alike = {
        "touchpoints": "$tags.touchpoints.id",
        "lenses": "$tags.lenses.id",
        "polarity": "$tags.polarity",
        "kind": "$tags.kind",
        "about": "$tags.about",
        "needs_triage": "$tags.needs_triage",
        "channel": "$channel",
        "source": "$source",
        "mode": "$mode",
    }
    counted = {
        "pieces": {"$sum": 1},
        "first_at": {"$min": "$occurred_at"},
        "last_at": {"$max": "$occurred_at"},
    }
    return [{"$match": matching}, {"$group": {"_id": alike, **counted}}]


def sampled(matching: Document) -> list[Document]:
    """The pipeline whose documents `samples_from` reads: the surest of each touchpoint and polarity."""
    best = {
        "$topN": {
            "n": _SAMPLES,
            "sortBy": {"tags.touchpoints.score": -1, "_id": 1},
            "output": {"id": "$_id", "by": ["$reported_by.person_id", "$spoken_for.person_id"]},
        }
    }
    return [
        {"$match": {"$and": [matching, {"text": {"$gt": ""}}]}},
        {"$project": {"tags.touchpoints": 1, "tags.polarity": 1, "reported_by": 1, "spoken_for": 1}},
        {"$unwind": {"path": "$tags.touchpoints", "preserveNullAndEmptyArrays": True}},
        {
            "$group": {
                "_id": {"touchpoint": "$tags.touchpoints.id", "polarity": "$tags.polarity"},
                "best": best,
            }
        },
        {"$sort": {"_id": 1}},
    ]


def group_from(document: Document) -> Group:
    alike: dict[str, Any] = document["_id"]
    return Group(
        touchpoints=tuple(alike["touchpoints"]),
        lenses=tuple(Lens(lens) for lens in alike["lenses"] if lens in _LENSES),
        polarity=known(alike["polarity"], Polarity.NEUTRAL),
        kind=known(alike["kind"], Kind.OTHER),
        about=known(alike["about"], About.OTHER),
        needs_triage=alike["needs_triage"],
        channel=alike["channel"],
        source=alike["source"],
        mode=known(alike["mode"], Mode.BACKFILL),
        pieces=document["pieces"],
        first_at=document["first_at"],
        last_at=document["last_at"],
    )


def samples_from(document: Document) -> Sequence[Sample]:
    touchpoint = document["_id"].get("touchpoint")
    polarity = known(document["_id"]["polarity"], Polarity.NEUTRAL)
    return [
        Sample(touchpoint, polarity, one["id"], tuple(person for person in one["by"] if person))
        for one in document["best"]
    ]
