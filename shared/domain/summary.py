"""A summary: what many pieces come to, for one reader. The words of what is told of an import."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.domain.lens import Lens
from shared.events.feedback import About, Kind, Mode, Polarity


@dataclass(frozen=True, slots=True)
class Group:
    """Pieces that are alike in everything a summary counts by. `touchpoints` as tagged, known or not."""

    touchpoints: tuple[str, ...]
    lenses: tuple[Lens, ...]
    polarity: Polarity
    kind: Kind
    about: About
    needs_triage: bool
    channel: str
    source: str
    mode: Mode
    pieces: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Sample:
    """A piece that may be quoted for a touchpoint; `touchpoint` None: for what has none. `by`: who spoke."""

    touchpoint: str | None
    polarity: Polarity
    feedback_id: str
    by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tally:
    """Of one touchpoint, by its name. A piece that says both counts for `keep` and for `change`."""

    name: str
    pieces: int
    keep: int
    change: int


@dataclass(frozen=True, slots=True)
class Count:
    name: str
    pieces: int


@dataclass(frozen=True, slots=True)
class Quote:
    """`verdict` is keep, change, mixed or neutral. Of a confidential piece `who` is the codename."""

    feedback_id: str
    text: str
    who: str
    touchpoints: tuple[str, ...]
    verdict: str


@dataclass(frozen=True, slots=True)
class Summary:
    """`pieces`, `keep` and `change` are the reader's own, `of_all` and `needs_triage` of the whole run.

    In every list the most frequent comes first.

    `quoted` are the feedback_ids of what is quoted: the words themselves are read when it is sent, so that
    none of them is kept here when its piece is changed or deleted. `quotes` has them then.
    """

    name: str
    pieces: int
    of_all: int
    keep: int
    change: int
    needs_triage: int
    first_at: datetime
    last_at: datetime
    origins: tuple[Count, ...] = ()
    touchpoints: tuple[Tally, ...] = ()
    lenses: tuple[Count, ...] = ()
    quoted: tuple[str, ...] = ()
    quotes: tuple[Quote, ...] = ()
