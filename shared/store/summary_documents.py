"""A summary as a part of a delivery's document, and back. What it quotes is kept by id, never in words."""

from __future__ import annotations

from dataclasses import asdict, fields, replace
from typing import Any, TypeVar

from shared.domain.summary import Count, Summary, Tally
from shared.store.connection import Document

Kept = TypeVar("Kept", Count, Tally, Summary)


def summary_document(summary: Summary) -> Document:
    document = asdict(replace(summary, quotes=()))
    del document["quotes"]
    return document


def summary_from(document: Document) -> Summary:
    lists: Document = {
        "origins": tuple(_known(Count, count) for count in document["origins"]),
        "touchpoints": tuple(_known(Tally, tally) for tally in document["touchpoints"]),
        "lenses": tuple(_known(Count, count) for count in document["lenses"]),
        "quoted": tuple(document["quoted"]),
    }
    return _known(Summary, {**document, **lists})


def _known(kind: type[Kept], document: Document) -> Kept:
    """Without what only a newer release knows."""
    values: dict[str, Any] = {
        field.name: document[field.name] for field in fields(kind) if field.name in document
    }
    return kind(**values)
