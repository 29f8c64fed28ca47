"""The tagger: all engines put together. One encoding of each segment serves every one of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np
from threadpoolctl import ThreadpoolController

from services.classifier.domain.judge import Shown, Verdict, judge
from services.classifier.domain.piece import Piece, evidence
from services.classifier.domain.read import Read
from services.classifier.engines.about import AboutEngine, Names
from services.classifier.engines.encoder import Encoder, SentenceEncoder, Vectors
from services.classifier.engines.language import LanguageEngine
from services.classifier.engines.lenses import LensEngine
from services.classifier.engines.polarity import PolarityEngine
from services.classifier.engines.segments import SegmentEngine
from services.classifier.engines.touchpoints import Found, TouchpointEngine
from services.classifier.engines.urgency import UrgencyEngine
from shared.domain.directory import Directory
from shared.domain.weight import weigh
from shared.events.feedback import (
    About,
    FeedbackReceived,
    Judgement,
    Kind,
    Polarity,
    Tags,
    TriageReason,
    Urgency,
    UrgencyReason,
)


class StandardTagger:
    """Tags by meaning and by words, in the languages of its encoder. Where it is not certain, it asks."""

    def __init__(self, encoder: Encoder | None = None) -> None:
        self._encoder = encoder or SentenceEncoder()
        self._languages = LanguageEngine()
        self._segments = SegmentEngine(self._languages)
        self._touchpoints = TouchpointEngine(self._encoder)
        self._lenses = LensEngine(self._encoder)
        self._polarity = PolarityEngine(self._encoder)
        self._about = AboutEngine()
        self._urgency = UrgencyEngine()
        self._parts = (
            self._languages,
            self._segments,
            self._touchpoints,
            self._lenses,
            self._polarity,
            self._about,
            self._urgency,
        )
        self._names: Names | None = None

    @cached_property
    def version(self) -> str:
        """Of everything the tags depend on, beside the directory."""
        return " ".join((self._encoder.version, *(part.version for part in self._parts)))

    def load(self, directory: Directory | None) -> None:
        # Several threads of BLAS in a process that has one core for this cost half its speed.
        ThreadpoolController().limit(limits=1, user_api="blas")
        self._languages.load()
        self._segments.load()
        self._polarity.load()
        self._lenses.load()
        self._about.load()
        self._urgency.load()
        if directory is not None:
            self._touchpoints.taxonomy(directory)
            self._lenses.fitted(directory)

    def tag(self, events: Sequence[FeedbackReceived], directory: Directory) -> list[Tags]:
        pieces = [self._segments.read(event) for event in events]
        vectors = self._encoder.encode([segment.text for piece in pieces for segment in piece.segments])
        if self._names is None or self._names.version != directory.version:
            self._names = Names(directory)
        return [
            self._tag(piece, of_piece, directory, self._names)
            for piece, of_piece in zip(pieces, _split(vectors, pieces), strict=True)
        ]

    def _tag(self, piece: Piece, vectors: Vectors, directory: Directory, names: Names) -> Tags:
        event = piece.event
        found = self._touchpoints.find(piece, vectors, self._touchpoints.taxonomy(directory))
        verdict = self._judge(piece, vectors, names)
        triage = _triage(piece, found, verdict)
        return Tags(
            products=found.products,
            touchpoints=found.tags,
            lenses=self._lenses.find(piece, vectors, self._lenses.fitted(directory)),
            polarity=verdict.polarity,
            kind=verdict.kind,
            about=verdict.about,
            urgency=Urgency.URGENT if verdict.reasons else Urgency.NORMAL,
            urgency_reasons=tuple(verdict.reasons),
            judgements=tuple(_judgements(piece, found, verdict)),
            language=piece.language,
            weight=weigh(event.reported_by, event.spoken_for, directory, event.mode),
            needs_triage=triage is not None,
            triage_reason=triage,
        )

    def _judge(self, piece: Piece, vectors: Vectors, names: Names) -> Verdict:
        opinions = self._polarity.opinions(piece, vectors)
        subjects = self._about.subjects(piece, names)
        alarms = self._urgency.alarms(piece)
        reads = [Read(*read) for read in zip(opinions, subjects, alarms, strict=True)]
        verdict = judge(reads, piece.event.rating)
        if verdict.about is not About.OTHER:
            return verdict
        return verdict.named(self._about.named_beside(piece, names))


def _split(vectors: Vectors, pieces: Sequence[Piece]) -> list[Vectors]:
    """The rows of each piece's segments."""
    ends = np.cumsum([len(piece.segments) for piece in pieces], dtype=np.intp)
    return np.split(vectors, ends)[: len(pieces)]


def _triage(piece: Piece, found: Found, verdict: Verdict) -> TriageReason | None:
    """Why a human has to look; None where there is no need to."""
    if found.tags:
        return None
    if not piece.segments:
        return TriageReason.NO_WORDS
    nothing = verdict.polarity is Polarity.NEUTRAL and verdict.kind is Kind.OTHER
    return TriageReason.UNCLEAR if nothing else TriageReason.NO_TOUCHPOINT


def _judgements(piece: Piece, found: Found, verdict: Verdict) -> Iterator[Judgement]:
    """Where the tags that have one value show, and what the likeliest touchpoint would have been."""
    yield _judgement(piece, "polarity", verdict.polarity, verdict.polarity_shown)
    yield _judgement(piece, "kind", verdict.kind, verdict.polarity_shown)
    if verdict.about is not About.US:
        yield _judgement(piece, "about", verdict.about, verdict.about_shown)
    for reason, shown in verdict.reasons.items():
        yield _urgent(piece, reason, shown)
    if found.guess is not None and not found.tags:
        likeliest, certainty = found.guess
        yield Judgement(tag="touchpoint", value=likeliest, reason=f"only {certainty:.0%} certain")


def _judgement(piece: Piece, tag: str, value: str, shown: Sequence[Shown]) -> Judgement:
    spans = tuple(evidence(piece, span.field, span.start, span.end) for span in shown)
    return Judgement(tag=tag, value=value, evidence=spans)


def _urgent(piece: Piece, reason: UrgencyReason, shown: Shown) -> Judgement:
    span = evidence(piece, shown.field, shown.start, shown.end)
    return Judgement(tag="urgency", value=Urgency.URGENT, evidence=(span,), reason=reason)
