"""A notice as JSON for machines.

Source of the frame (`type`, `timestamp`, `data`): Standard Webhooks, "Payload structure".
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from services.notifier.domain.wording import facts, headline
from shared.domain.delivery import Delivery, Purpose

_TYPES = {
    Purpose.NOTICE: "feedback.notice",
    Purpose.AMENDMENT: "feedback.edited",
    Purpose.REDACTION: "feedback.deleted",
}


def body_of(row: Delivery, now: datetime) -> bytes:
    """UTF-8 JSON. A deletion says which notice it takes back, and nothing of what that said."""
    data: dict[str, Any] = {
        "delivery_id": row.id,
        "notice_id": row.notice_id,
        "feedback_id": row.feedback_id,
        "revision": row.revision,
    }
    if row.amends is not None:
        data["amends"] = row.amends
    if row.purpose is not Purpose.REDACTION:
        data |= _told(row)
    frame = {"type": _TYPES[row.purpose], "timestamp": now.isoformat(), "data": data}
    return json.dumps(frame, ensure_ascii=False, separators=(",", ":")).encode()


def _told(row: Delivery) -> dict[str, Any]:
    content = row.content
    return {
        "headline": headline(content),
        "why": list(row.why),
        "urgent": row.urgent,
        "title": content.title,
        "text": content.text,
        "shortened": content.shortened,
        "url": content.url,
        "channel": content.channel,
        "touchpoints": list(content.touchpoints),
        "lenses": list(content.lenses),
        "polarity": content.polarity,
        "kind": content.kind,
        "about": content.about,
        "urgency_reasons": list(content.urgency_reasons),
        "language": content.language,
        "needs_triage": content.needs_triage,
        "confidential": content.confidential,
        "occurred_at": content.occurred_at.isoformat() if content.occurred_at is not None else None,
        "facts": [{"name": name, "value": value} for name, value in facts(content)],
    }
