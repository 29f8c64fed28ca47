"""The event, out of what the steps before have found."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from services.ingest.domain.attach import Kept
from services.ingest.domain.identify import Identity
from services.ingest.domain.shorten import Shortened
from services.ingest.domain.submission import Submission
from shared import ids
from shared.errors import InvalidInput, Reason
from shared.events.base import MAX_EVENT_BYTES, trusted
from shared.events.feedback import Change, FeedbackReceived, Rating

#: Text apart, every field is bounded, and together they stay under this: a short text needs no measuring.
_REST_BYTES = 100_000
_BYTES_PER_CHAR = 6


def build(
    clean: Submission, identity: Identity, shortened: Shortened, kept: Sequence[Kept], received_at: datetime
) -> FeedbackReceived:
    """The event as it is published; a deletion carries no content and no people.

    Raises InvalidInput TOO_LARGE for more than 900 kB, which the bounds of the steps before rule out.
    """
    if clean.change is Change.DELETED:
        return _deletion(clean, identity, received_at)
    return _within_limit(
        trusted(
            FeedbackReceived,
            {
                "feedback_id": identity.feedback_id,
                "revision": identity.revision,
                "change": clean.change,
                "mode": clean.mode,
                "batch": clean.batch,
                "channel": clean.channel,
                "source": clean.source,
                "external_id": clean.external_id,
                "thread_id": clean.thread_id,
                "url": clean.url,
                "title": clean.title,
                "text": shortened.text,
                "truncated": shortened.truncated,
                "content_hash": content_hash(clean.title, shortened.text, kept, clean.rating),
                "attachments": tuple([each.attachment for each in kept]),
                "reported_by": identity.reported_by,
                "spoken_for": identity.spoken_for,
                "occasion": clean.occasion,
                "confidential": clean.confidential,
                "codename": None,
                "rating": clean.rating,
                "reply_to": identity.reply_to,
                "hints": clean.hints,
                "occurred_at": identity.occurred_at,
                "received_at": received_at,
            },
        )
    )


def _deletion(clean: Submission, identity: Identity, received_at: datetime) -> FeedbackReceived:
    return FeedbackReceived(
        feedback_id=identity.feedback_id,
        revision=identity.revision,
        change=Change.DELETED,
        mode=clean.mode,
        channel=clean.channel,
        source=clean.source,
        reported_by=identity.reported_by,
        occurred_at=identity.occurred_at,
        received_at=received_at,
    )


def content_hash(title: str, text: str, kept: Sequence[Kept], rating: Rating | None) -> str:
    """Equal for two versions of a piece between which nothing was changed that anybody would want to read."""
    rated = f"{rating.value} {rating.min} {rating.max} {rating.kind}" if rating is not None else ""
    hashes = [each.attachment.sha256.encode() for each in kept]
    return ids.digest(title.encode(), text.encode(), rated.encode(), *hashes)


def _within_limit(event: FeedbackReceived) -> FeedbackReceived:
    if len(event.text) * _BYTES_PER_CHAR + _REST_BYTES > MAX_EVENT_BYTES:
        size_bytes = len(event.model_dump_json())
        if size_bytes > MAX_EVENT_BYTES:
            raise InvalidInput(
                Reason.TOO_LARGE,
                f"the event would have {size_bytes} bytes",
                field="text",
                remedy="Send less text, or the text as an attachment.",
            )
    return event
