"""Reads the answers of `POST /v1/feedback`."""

from __future__ import annotations

import json

KEPT = frozenset({"accepted", "spooled"})


def feedback_ids(body: bytes) -> list[str]:
    """Of the items that were kept, in order."""
    answer = json.loads(body)
    results = answer.get("results", [answer])
    return [result["feedback_id"] for result in results if result["status"] in KEPT]
