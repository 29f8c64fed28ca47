"""A notice as JSON for machines.

Source of the frame (`type`, `timestamp`, `data`): Standard Webhooks, "Payload structure".
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from services.notifier.domain.summary_wording import summary_headline
from services.notifier.domain.wording import facts, headline
from shared.domain.delivery import Delivery, Purpose
from shared.domain.summary import Summary

_TYPES = {
    Purpose.NOTICE: "feedback.notice",
    Purpose.AMENDMENT: "feedback.edited",
    Purpose.REDACTION: "feedback.deleted",
    Purpose.SUMMARY: "feedback.summary",
}


def body_of(row: Delivery, now: datetime) -> bytes:
    """UTF-8 JSON. A deletion says which notice it takes back, and nothing of what that said."""
    data: dict[str, Any] = {"delivery_id": row.id, "notice_id": row.notice_id}
    if row.summary is not None:
        data |= _summed_up(row.summary, row.why)
    else:
        data |= _of_piece(row)
    frame = {"type": _TYPES[row.purpose], "timestamp": now.isoformat(), "data": data}
    return json.dumps(frame, ensure_ascii=False, separators=(",", ":")).encode()


def _of_piece(row: Delivery) -> dict[str, Any]:
    data: dict[str, Any] = {"feedback_id": row.feedback_id, "revision": row.revision}
    if row.amends is not None:
        data["amends"] = row.amends
    if row.purpose is not Purpose.REDACTION:
        data |= _told(row)
    return data


def _summed_up(summary: Summary, why: Sequence[str]) -> dict[str, Any]:
    """What many pieces come to; `quotes` are a few of them, in their own words."""
    told = asdict(summary)
    return {
        "headline": summary_headline(summary),
        "why": list(why),
        **{name: value for name, value in told.items() if name != "quoted"},
        "first_at": summary.first_at.isoformat(),
        "last_at": summary.last_at.isoformat(),
    }


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
