"""From a received event to a classified one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.events.base import trusted
from shared.events.feedback import Cause, FeedbackClassified, FeedbackReceived, Speaker, Tags

_NOBODY = Speaker(person_id="")


@dataclass(frozen=True, slots=True)
class Stamp:
    """By what and when a batch was classified."""

    model_version: str
    directory_version: int
    now: datetime


def classified(event: FeedbackReceived, cause: Cause, tags: Tags, stamp: Stamp) -> FeedbackClassified:
    """`event` with its tags. Not validated anew: its fields come from a validated event."""
    values = {
        **event.__dict__,
        "cause": cause,
        "tag_revision": 0,
        "tags": tags,
        "model_version": stamp.model_version,
        "directory_version": stamp.directory_version,
        "classified_at": stamp.now,
    }
    return trusted(FeedbackClassified, values)


def tombstone(event: FeedbackReceived, now: datetime) -> FeedbackClassified:
    """What is left of a deleted piece: what it was and when, no text, no people, no tags."""
    return FeedbackClassified(
        feedback_id=event.feedback_id,
        revision=event.revision,
        change=event.change,
        mode=event.mode,
        channel=event.channel,
        source=event.source,
        reported_by=_NOBODY,
        occurred_at=event.occurred_at,
        received_at=event.received_at,
        cause=Cause.DELETED,
        tag_revision=0,
        classified_at=now,
    )
