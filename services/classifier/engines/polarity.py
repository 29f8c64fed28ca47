"""What each segment wants of the product, by meaning (a head over the encoder) and by phrase (cues)."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from services.classifier.domain.cues import Cues
from services.classifier.domain.piece import Piece
from services.classifier.domain.ridge import Ridge, fit
from services.classifier.domain.stance import STANCES, Opinion, opinion
from services.classifier.domain.valence import Judgements
from services.classifier.engines.encoder import Encoder, Vectors
from services.classifier.prepared import Arrays, prepared
from services.classifier.words import load

_RIDGE = 1.0


class PolarityEngine:
    """Not the tone of voice: a polite request wants a change, and says so here."""

    version = "polarity/1"

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder

    @cached_property
    def _words(self) -> dict[str, dict[str, dict[str, list[str]]]]:
        return load("polarity")

    @cached_property
    def _cues(self) -> Cues:
        return Cues(self._words["cues"])

    @cached_property
    def _judgements(self) -> Judgements:
        return Judgements(self._words["words"])

    @cached_property
    def _head(self) -> Ridge:
        phrases = [
            (phrase, STANCES.index(stance))
            for stance in STANCES
            for of_language in self._words["phrases"][stance].values()
            for phrase in of_language
        ]
        targets = np.eye(len(STANCES), dtype=np.float32)[[stance for _, stance in phrases]]

        def make() -> Arrays:
            head, _ = fit(self._encoder.encode([phrase for phrase, _ in phrases]), targets, _RIDGE)
            return {"weights": head.weights, "bias": head.bias}

        words = [f"{stance} {phrase}" for phrase, stance in phrases]
        head = prepared("polarity", [self._encoder.version, self.version, *words], make)
        return Ridge(head["weights"], head["bias"])

    def load(self) -> None:
        """Words read, head fitted."""
        _ = self._cues, self._judgements, self._head

    def opinions(self, piece: Piece, vectors: Vectors) -> list[Opinion]:
        """One for each segment; `vectors` are those of the segments."""
        priors = self._head.score(vectors)
        return [
            opinion(segment, prior, self._cues.find(segment, piece.language), self._judgements.weigh(segment))
            for segment, prior in zip(piece.segments, priors, strict=True)
        ]
