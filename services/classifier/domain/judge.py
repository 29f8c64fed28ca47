"""From what the segments say to what the piece asks for: polarity, kind, whom it is about, how urgently.

What somebody else does well is an example for us and wants a change here, whatever its tone. What somebody
else does badly asks nothing of us. All else is about us: what is good and bad makes keep, change or mixed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from services.classifier.domain.read import LEAVING, SETTLED, Read, sharpened
from services.classifier.domain.stance import Opinion, Stance
from services.classifier.domain.subject import Better
from shared.events.feedback import About, Kind, Polarity, Rating, UrgencyReason

#: Below it an opinion is too faint to make a piece mixed.
_CLEAR = 0.55
#: Below it nothing is meant by it, if something else is said plainly.
_FAINT = 0.4
#: The smaller side must have this share of the opinions: one kind word in a long complaint is courtesy.
_LEAST_SHARE = 0.2
_LOW, _HIGH = 0.3, 0.75
_REASONS = {
    "may_leave": UrgencyReason.MAY_LEAVE,
    "leaving_question": UrgencyReason.MAY_LEAVE,
    "outage": UrgencyReason.OUTAGE,
    "legal_threat": UrgencyReason.LEGAL_THREAT,
    "safety": UrgencyReason.SAFETY,
}
#: Over once it is mended, or once somebody decided to stay.
_PASSING = frozenset({UrgencyReason.MAY_LEAVE, UrgencyReason.OUTAGE})
_GOODBYE = frozenset({UrgencyReason.MAY_LEAVE, UrgencyReason.LEGAL_THREAT})
_RISKS = frozenset({UrgencyReason.MAY_LEAVE, UrgencyReason.LEGAL_THREAT, UrgencyReason.SAFETY})


@dataclass(frozen=True, slots=True)
class Shown:
    """Where something shows: a span of the title or the text."""

    field: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """With where each of them shows; nowhere for a default and for what a rating says."""

    polarity: Polarity
    kind: Kind
    about: About
    reasons: dict[UrgencyReason, Shown]
    polarity_shown: tuple[Shown, ...] = ()
    about_shown: tuple[Shown, ...] = ()

    def named(self, about: About | None) -> Verdict:
        """With a subject that was found outside the words; the same for None."""
        return self if about is None else replace(self, about=about)


class _Role(StrEnum):
    OURS = "ours"
    EXAMPLE = "example"
    THEIRS = "theirs"


def judge(reads: Sequence[Read], rating: Rating | None) -> Verdict:
    """What the piece as a whole asks for."""
    roles = [_role(read) for read in reads]
    ours = [sharpened(read) for read, role in zip(reads, roles, strict=True) if role is _Role.OURS]
    examples = [read for read, role in zip(reads, roles, strict=True) if role is _Role.EXAMPLE]
    theirs = [read for read, role in zip(reads, roles, strict=True) if role is _Role.THEIRS]
    if examples:
        return _example(examples, theirs, ours)
    if theirs and _polarity(ours)[0] is Polarity.NEUTRAL:
        return Verdict(Polarity.NEUTRAL, Kind.OTHER, _about(theirs), {}, (), _subjects(theirs))
    return _ours(ours, rating)


def _role(read: Read) -> _Role:
    subject, opinion = read.subject, read.opinion
    if subject is None or subject.better is Better.WE or read.alarms_for(LEAVING):
        return _Role.OURS
    if subject.better is Better.THEY or opinion.stance is Stance.PRAISE:
        return _Role.EXAMPLE
    if subject.carried:
        return _Role.OURS
    if opinion.stance is Stance.WISH and not opinion.repair:
        return _Role.EXAMPLE
    # An alarm beside somebody nameless is hardly his: "I can see the invoices of another company".
    alarmed = bool(read.alarms) and subject.about is About.COMPETITOR
    bad = opinion.stance is Stance.PROBLEM or alarmed
    return _Role.THEIRS if bad and not subject.you and subject.about is not About.PROVIDER else _Role.OURS


def _example(examples: Sequence[Read], theirs: Sequence[Read], ours: Sequence[Read]) -> Verdict:
    """Wants a change, whatever else; mixed, when we are praised as well."""
    praised = _strongest(ours, Stance.PRAISE)
    mixed = praised is not None and praised.strength >= _CLEAR
    # An outage or an accident in the same breath as praise of somebody else is theirs.
    threats = {reason: shown for reason, shown in _reasons(examples).items() if reason in _GOODBYE}
    reasons = threats | _reasons(ours)
    return Verdict(
        polarity=Polarity.MIXED if mixed else Polarity.CHANGE,
        kind=Kind.RISK if _RISKS & reasons.keys() else Kind.EXAMPLE,
        about=_about([*examples, *theirs, *ours]),
        reasons=reasons,
        polarity_shown=tuple(_shown(read.opinion) for read in examples),
        about_shown=_subjects(examples),
    )


def _ours(ours: Sequence[Read], rating: Rating | None) -> Verdict:
    polarity, opinions = _polarity(ours)
    level = _level(rating)
    if level is not None and _overrules(level, polarity, ours):
        polarity, opinions = level, ()
    reasons = _reasons(ours)
    if polarity is Polarity.KEEP:
        # Praise that mentions an outage or a danger tells how well it went; a goodbye is no praise.
        reasons = {reason: shown for reason, shown in reasons.items() if reason in _GOODBYE}
    if reasons and polarity in {Polarity.NEUTRAL, Polarity.KEEP}:
        polarity = Polarity.CHANGE if polarity is Polarity.NEUTRAL else Polarity.MIXED
    provider = [read for read in ours if read.subject is not None and read.subject.about is About.PROVIDER]
    return Verdict(
        polarity=polarity,
        kind=_kind(polarity, ours, reasons),
        about=About.PROVIDER if provider and polarity is Polarity.CHANGE else About.US,
        reasons=reasons,
        polarity_shown=tuple(_shown(opinion) for opinion in opinions),
        about_shown=_subjects(provider) if polarity is Polarity.CHANGE else (),
    )


def _polarity(ours: Sequence[Read]) -> tuple[Polarity, tuple[Opinion, ...]]:
    """And the opinions that make it."""
    heard = _audible(ours)
    good = [read.opinion for read in heard if read.opinion.stance is Stance.PRAISE]
    bad = [read.opinion for read in _unsettled(heard) if read.opinion.stance in {Stance.PROBLEM, Stance.WISH}]
    best = max(good, key=lambda opinion: opinion.strength, default=None)
    worst = max(bad, key=lambda opinion: opinion.strength, default=None)
    if best is None or worst is None:
        if best is not None:
            return Polarity.KEEP, (best,)
        return (Polarity.CHANGE, (worst,)) if worst is not None else (Polarity.NEUTRAL, ())
    even = min(len(good), len(bad)) >= _LEAST_SHARE * (len(good) + len(bad))
    if even and min(best.strength, worst.strength) >= _CLEAR:
        return Polarity.MIXED, (best, worst)
    keeps = (len(good), best.strength) > (len(bad), worst.strength)
    return (Polarity.KEEP, (best,)) if keeps else (Polarity.CHANGE, (worst,))


def _kind(polarity: Polarity, ours: Sequence[Read], reasons: dict[UrgencyReason, Shown]) -> Kind:
    if _RISKS & reasons.keys():
        return Kind.RISK
    if polarity is Polarity.KEEP:
        return Kind.PRAISE
    if polarity is Polarity.NEUTRAL:
        return Kind.QUESTION if _any(ours, Stance.QUESTION) else Kind.OTHER
    wish, problem = _strongest(ours, Stance.WISH), _strongest(ours, Stance.PROBLEM)
    if wish is None or wish.repair:
        return Kind.PROBLEM
    return Kind.IDEA if problem is None or wish.strength > problem.strength else Kind.PROBLEM


def _reasons(ours: Sequence[Read]) -> dict[UrgencyReason, Shown]:
    settled = any(read.alarms_for(SETTLED) for read in ours)
    found: dict[UrgencyReason, Shown] = {}
    for read in ours:
        for cue in read.alarms:
            reason = _REASONS.get(cue.meaning)
            asked = reason is UrgencyReason.OUTAGE and read.opinion.stance is Stance.QUESTION
            if reason is None or asked or (settled and reason in _PASSING):
                continue
            found.setdefault(reason, Shown(cue.field, cue.start, cue.end))
    return dict(sorted(found.items()))


def _audible(ours: Sequence[Read]) -> Sequence[Read]:
    """Without the faint ones, where something is said plainly."""
    plain = any(read.opinion.strength >= _CLEAR for read in ours)
    return [read for read in ours if read.opinion.strength >= _FAINT] if plain else ours


def _unsettled(ours: Sequence[Read]) -> Sequence[Read]:
    """Without the problems told before it says that they were solved."""
    solved = [place for place, read in enumerate(ours) if read.alarms_for(SETTLED)]
    return ours[solved[-1] :] if solved else ours


def _strongest(reads: Sequence[Read], stance: Stance) -> Opinion | None:
    opinions = (read.opinion for read in reads if read.opinion.stance is stance)
    return max(opinions, key=lambda opinion: opinion.strength, default=None)


def _any(reads: Sequence[Read], stance: Stance) -> bool:
    return any(read.opinion.stance is stance for read in reads)


def _about(reads: Sequence[Read]) -> About:
    """A name we know tells more than "they"."""
    abouts = {read.subject.about for read in reads if read.subject is not None}
    return next(about for about in (About.COMPETITOR, About.PROVIDER, About.OTHER) if about in abouts)


def _subjects(reads: Sequence[Read]) -> tuple[Shown, ...]:
    return tuple(
        Shown(read.opinion.segment.field, read.subject.start, read.subject.end)
        for read in reads
        if read.subject is not None and not read.subject.carried
    )


def _shown(opinion: Opinion) -> Shown:
    return Shown(opinion.segment.field, opinion.start, opinion.end)


def _level(rating: Rating | None) -> Polarity | None:
    """What a rating says by itself; nothing in the middle of its scale."""
    if rating is None or rating.max <= rating.min:
        return None
    share = (rating.value - rating.min) / (rating.max - rating.min)
    return Polarity.CHANGE if share <= _LOW else Polarity.KEEP if share >= _HIGH else None


def _overrules(level: Polarity, polarity: Polarity, ours: Sequence[Read]) -> bool:
    """Five stars speak where the words do not; one star also where they are kind."""
    if level is Polarity.CHANGE:
        return polarity in {Polarity.NEUTRAL, Polarity.KEEP}
    return polarity is Polarity.NEUTRAL and not _any(ours, Stance.QUESTION)
