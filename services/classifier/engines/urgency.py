"""What cannot wait: somebody may leave, is cut off, threatens with the law, or is in danger."""

from __future__ import annotations

from functools import cached_property

from services.classifier.domain.cues import Cue, Cues
from services.classifier.domain.piece import Piece
from services.classifier.words import load


class UrgencyEngine:
    version = "urgency/1"

    @cached_property
    def _cues(self) -> Cues:
        return Cues(load("urgency"))

    def load(self) -> None:
        """Words read."""
        _ = self._cues

    def alarms(self, piece: Piece) -> list[list[Cue]]:
        """For each segment what in it may be urgent; whether it is, the rest of the piece decides."""
        return [self._cues.find(segment, piece.language) for segment in piece.segments]
