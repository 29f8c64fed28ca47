"""A piece of feedback as the engines read it: its language and its segments."""

from __future__ import annotations

from dataclasses import dataclass

from services.classifier.domain.split import Segment
from shared.events.feedback import Evidence, FeedbackReceived

MAX_QUOTE_CHARS = 300


@dataclass(frozen=True, slots=True)
class Piece:
    """`segments` in reading order, the title's first, without mere courtesy; empty: it has no words."""

    event: FeedbackReceived
    language: str
    segments: tuple[Segment, ...]


def evidence(piece: Piece, field: str, start: int, end: int) -> Evidence:
    """The span `start` to `end` of the piece's title or text, no longer than a reader wants to see."""
    end = min(end, start + MAX_QUOTE_CHARS)
    whole = piece.event.title if field == "title" else piece.event.text
    return Evidence(field=field, start=start, end=end, quote=whole[start:end])
