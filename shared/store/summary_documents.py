"""A summary as a part of a delivery's document, and back. What it quotes is kept by id, never in words."""

from __future__ import annotations

from dataclasses import asdict, replace

from shared.domain.summary import Count, Summary, Tally
from shared.store.connection import Document


def summary_document(summary: Summary) -> Document:
    document = asdict(replace(summary, quotes=()))
    del document["quotes"]
    return document


def summary_from(document: Document) -> Summary:
    kept = {
        "origins": tuple(Count(**count) for count in document["origins"]),
        "touchpoints": tuple(Tally(**tally) for tally in document["touchpoints"]),
        "lenses": tuple(Count(**count) for count in document["lenses"]),
        "quoted": tuple(document["quoted"]),
    }
    return Summary(**{**document, **kept})
