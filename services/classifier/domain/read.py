"""One segment as all engines read it, and what its surroundings make of its opinion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from services.classifier.domain.cues import Cue
from services.classifier.domain.stance import Opinion, Stance
from services.classifier.domain.subject import Better, Subject

LEAVING = frozenset({"may_leave", "leaving_question"})
SETTLED = frozenset({"settled"})
_ALARMING = frozenset({"may_leave", "outage", "legal_threat", "safety"})
#: From here on praise is meant, and a wish, whatever else the segment mentions.
_PLAIN_PRAISE, _PLAIN_WISH = 0.9, 0.5
#: An alarm, and a mended fault, are said plainly even where the words around them are not.
_LEAST_STRENGTH = 0.7


@dataclass(frozen=True, slots=True)
class Read:
    """`alarms` are cues that may make the piece urgent, or say that it is so no more."""

    opinion: Opinion
    subject: Subject | None
    alarms: Sequence[Cue]

    def alarms_for(self, meanings: frozenset[str]) -> bool:
        return any(cue.meaning in meanings for cue in self.alarms)


def sharpened(read: Read) -> Read:
    """Of a segment about us: what is better here or was mended is praise, what alarms is a problem."""
    opinion = read.opinion
    mended = read.alarms_for(SETTLED) and opinion.stance in {Stance.PROBLEM, Stance.NEUTRAL}
    if mended or (read.subject is not None and read.subject.better is Better.WE):
        return _as(read, Stance.PRAISE)
    if read.alarms_for(_ALARMING) and not read.alarms_for(SETTLED) and _faint(opinion):
        return _as(read, Stance.PROBLEM)
    return read


def _faint(opinion: Opinion) -> bool:
    """Whether it says little else than what alarms."""
    if opinion.stance is Stance.PRAISE:
        return opinion.strength < _PLAIN_PRAISE
    return opinion.stance is Stance.NEUTRAL or (
        opinion.stance is Stance.WISH and opinion.strength < _PLAIN_WISH
    )


def _as(read: Read, stance: Stance) -> Read:
    strength = max(read.opinion.strength, _LEAST_STRENGTH)
    return replace(read, opinion=replace(read.opinion, stance=stance, strength=strength))
