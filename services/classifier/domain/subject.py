"""Whom a segment speaks of: of us, or of somebody who does it better (or worse)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from services.classifier.domain.cues import Cue
from shared.events.feedback import About


class Better(StrEnum):
    """Who comes off better where a segment compares."""

    THEY = "they"
    WE = "we"


@dataclass(frozen=True, slots=True)
class Subject:
    """Somebody else. `start` and `end` are the words that say so; `you`: the segment speaks to us as well."""

    about: About
    start: int
    end: int
    better: Better | None = None
    you: bool = False
    #: Taken over from the segment before, which named somebody.
    carried: bool = False


@dataclass(frozen=True, slots=True)
class Named:
    """A name in a segment, of a competitor, a provider or a stranger."""

    about: About
    start: int
    end: int


def subject(
    cues: Iterable[Cue], names: Iterable[Named], before: Subject | None, *, of_us: bool
) -> Subject | None:
    """Whom the segment speaks of, None for us.

    `before` is the subject of the segment before. `of_us` says that our own people were mentioned, so that
    "how they solved it" is about them.
    """
    found = {cue.meaning: cue for cue in cues}
    you, better = "you" in found, _better(found)
    who = next(iter(names), None) or _unnamed(found, before, of_us=of_us)
    if who is not None:
        return Subject(who.about, who.start, who.end, better, you)
    if before is not None and (better is Better.THEY or not (you or of_us)):
        return replace(before, better=better, you=you, carried=True)
    if better is Better.THEY:
        cue = found["better_there"]
        return Subject(About.OTHER, cue.start, cue.end, better, you)
    return None


def _unnamed(found: dict[str, Cue], before: Subject | None, *, of_us: bool) -> Named | None:
    """Somebody else who is spoken of without a name."""
    for meaning, about in (("supplier", About.PROVIDER), ("elsewhere", About.OTHER)):
        if meaning in found:
            return Named(about, found[meaning].start, found[meaning].end)
    if "they" not in found or of_us:
        return None
    about = before.about if before is not None else About.OTHER
    return Named(about, found["they"].start, found["they"].end)


def _better(found: dict[str, Cue]) -> Better | None:
    if "better_there" in found:
        return Better.THEY
    return Better.WE if "better_here" in found else None
