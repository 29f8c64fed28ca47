"""Pieces of feedback for tests: valid, small, and different in what a test cares about."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from shared import ids
from shared.events.feedback import FeedbackReceived, Speaker

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def piece(name: str = "1", **fields: object) -> FeedbackReceived:
    """A live piece whose identity is `name`; any field may be given."""
    values: dict[str, Any] = {
        "feedback_id": ids.feedback_id("rest", "tests", name),
        "revision": 1,
        "channel": "rest",
        "source": "tests",
        "text": f"piece {name}",
        "content_hash": f"hash of {fields.get('text', name)}",
        "reported_by": Speaker(person_id="someone"),
        "occurred_at": NOON,
        "received_at": NOON,
    }
    return FeedbackReceived(**(values | fields))
