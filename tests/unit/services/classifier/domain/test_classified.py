"""A classified event is made without validation; it must be what validation would have made."""

from __future__ import annotations

from datetime import UTC, datetime

from services.classifier.domain.classified import Stamp, classified
from shared.events.feedback import Cause, FeedbackClassified, FeedbackReceived, Speaker, Tags

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def test_it_equals_what_is_read_back_from_the_wire() -> None:
    event = FeedbackReceived(
        feedback_id="f-1",
        revision=1,
        channel="rest",
        source="shop",
        text="The bill is hard to read.",
        reported_by=Speaker(person_id="p-1"),
        occurred_at=NOW,
        received_at=NOW,
    )

    piece = classified(event, Cause.RECEIVED, Tags(language="en"), Stamp("standard/1", 3, NOW))

    assert piece == FeedbackClassified.model_validate_json(piece.model_dump_json())
    assert piece.model_dump() == FeedbackClassified.model_validate(piece.model_dump()).model_dump()
    assert piece.model_copy(update={"tag_revision": 1}).tag_revision == 1
    assert event.text == piece.text
