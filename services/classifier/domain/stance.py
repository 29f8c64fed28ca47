"""What one segment wants: to keep something, to mend it, to have something new, to know, or nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from services.classifier.domain.cues import Cue
from services.classifier.domain.split import Segment
from services.classifier.domain.valence import Valence


class Stance(StrEnum):
    PRAISE = "praise"
    PROBLEM = "problem"
    WISH = "wish"
    QUESTION = "question"
    NEUTRAL = "neutral"


STANCES = tuple(Stance)
#: How much a cue moves the score of its stance, and of those it speaks against. The prior's are about 0 or 1.
_STAY = 1.2
_CUE = {Stance.PRAISE: 0.7, Stance.PROBLEM: 0.5, Stance.WISH: 0.5, Stance.QUESTION: 0.5}
_AGAINST: dict[Stance, dict[Stance, float]] = {
    Stance.PRAISE: {Stance.PROBLEM: 0.5, Stance.WISH: 0.2},
    Stance.PROBLEM: {Stance.PRAISE: 0.45},
}
_WORD = 0.3
_MOST_WORDS = 2.0
_QUESTION_MARK = 0.25


@dataclass(frozen=True, slots=True)
class Opinion:
    """`strength` is how clear the stance is, 0..1; `start` and `end` what shows it best, in the field.

    `repair` tells a wish to have something put right from one for something new.
    """

    segment: Segment
    stance: Stance
    strength: float
    start: int
    end: int
    repair: bool = False


def opinion(segment: Segment, prior: Sequence[float], cues: Iterable[Cue], valence: Valence) -> Opinion:
    """The stance of `segment`. `prior` holds a score for each of STANCES, in their order."""
    scores = dict(zip(STANCES, map(float, prior), strict=True))
    found = {cue.meaning: cue for cue in cues}
    for stance, bonus in _CUE.items():
        if stance.value in found:
            scores[stance] += bonus
            for opposite, malus in _AGAINST.get(stance, {}).items():
                scores[opposite] -= malus
    if "stay" in found:
        scores[Stance.PRAISE] += _STAY
    scores[Stance.PRAISE] += _WORD * min(valence.good, _MOST_WORDS)
    scores[Stance.PROBLEM] += _WORD * min(valence.bad, _MOST_WORDS)
    if segment.folded.rstrip(")\"' ").endswith("?"):
        scores[Stance.QUESTION] += _QUESTION_MARK
    best, second = sorted(scores.values(), reverse=True)[:2]
    stance = max(STANCES, key=lambda each: scores[each])
    shown = found.get("stay") or found.get(stance.value)
    return Opinion(
        segment=segment,
        stance=stance,
        strength=max(0.0, min(1.0, best, 0.5 + best - second)),
        start=shown.start if shown else segment.start,
        end=segment.end,
        repair="repair" in found,
    )
