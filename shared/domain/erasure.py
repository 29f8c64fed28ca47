"""Who is forgotten: what the ledger of erasures holds, and which pieces it bars. Pure.

The ledger knows nobody: an entry is keyed hashes of identities, and whoever comes with an identity can be
told whether it is among them. For as long as topics may bring back what was erased the entry has an *order*
as well, which names identities and pieces by their ids, so that services without the key know what to do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.events.feedback import FeedbackReceived, Mode

#: When each service goes through what it has, counted from the order: at once; soon after, for what was on
#: its way; and when no topic holds anything of it any more.
PASSES = (
    timedelta(0),
    timedelta(seconds=5),
    timedelta(minutes=1),
    timedelta(hours=1),
    timedelta(days=1),
    timedelta(days=7),
)
#: By then no topic, dead letters included, holds anything of it: see `shared/events/topics.py`.
COMPLETE_AFTER = PASSES[-1]
#: The kinds of identities.
PERSON = "person"
ACCOUNT = "account"
#: The parts of the house that have something to forget.
PARTS = ("classifier", "ingest", "notifier")
#: These bring what was said before; without a date of its own it is taken to be old.
_BRINGS_BACK = frozenset({Mode.BACKFILL, Mode.IMPORT, Mode.REPLAY})


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be forgotten, by ids alone. `given_at` starts the passes."""

    given_at: datetime
    people: frozenset[str] = frozenset()
    accounts: frozenset[str] = frozenset()
    pieces: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Part:
    """What one service has done: how many passes, when the last was, what went (counts by kind)."""

    passes: int = 0
    done_at: datetime | None = None
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Erasure:
    """An entry of the ledger. `marks` are keyed hashes; `order` is gone once it is complete."""

    id: str
    marks: frozenset[str]
    asked_at: datetime
    asked_by: str = ""
    order: Order | None = None
    parts: Mapping[str, Part] = field(default_factory=dict)
    completed_at: datetime | None = None

    @property
    def complete_on(self) -> datetime:
        """The day on which nothing is left anywhere, topics included."""
        return (self.order.given_at if self.order else self.asked_at) + COMPLETE_AFTER

    @property
    def is_done(self) -> bool:
        """Whether every part has gone through what it stores at least once."""
        return self.order is None or all(self.parts.get(name, Part()).passes for name in PARTS)

    def is_due(self, part: str, now: datetime) -> bool:
        """Whether `part` has a pass to make."""
        return self.order is not None and passes_due(self.order, now) > self.parts.get(part, Part()).passes


def passes_due(order: Order, now: datetime) -> int:
    """How many passes should have been made by now; one that was missed is made good by the next."""
    return sum(order.given_at + after <= now for after in PASSES)


class Ledger:
    """All entries, indexed for the question asked of every piece that comes by."""

    def __init__(self, entries: Iterable[Erasure] = ()) -> None:
        self.entries = tuple(sorted(entries, key=lambda entry: entry.asked_at))
        self._marks = {mark: entry for entry in self.entries for mark in entry.marks}
        self._standing = {
            f"{kind} {name}": entry
            for entry in self.entries
            if entry.order is not None
            for kind, names in ((PERSON, entry.order.people), (ACCOUNT, entry.order.accounts))
            for name in names
        }

    def marked(self, mark: str) -> Erasure | None:
        """The latest entry with this keyed hash."""
        return self._marks.get(mark)

    def barred_by(
        self, event: FeedbackReceived, mark: Callable[[str, str], str] | None = None
    ) -> Erasure | None:
        """The entry that bars `event`: it was said by or for somebody before they were forgotten.

        With `mark` (the keyed hash of a kind and an id) every entry counts, without it those whose order
        still stands. Who speaks again after they were forgotten is heard.
        """
        known: Mapping[str, Erasure] = self._marks if mark is not None else self._standing
        if not known:
            return None
        for kind, name in identities(event):
            entry = known.get(mark(kind, name) if mark is not None else f"{kind} {name}")
            if entry is not None and said_before(event, entry.asked_at):
                return entry
        return None


def identities(event: FeedbackReceived) -> list[tuple[str, str]]:
    """Kind and id of everybody a piece is of: who reported it, for whom, and their accounts."""
    speakers = [speaker for speaker in (event.reported_by, event.spoken_for) if speaker is not None]
    found = [(PERSON, speaker.person_id) for speaker in speakers if speaker.person_id]
    return found + [(ACCOUNT, speaker.account) for speaker in speakers if speaker.account]


def said_before(event: FeedbackReceived, asked_at: datetime) -> bool:
    """Whether it is of before somebody asked to be forgotten; what comes undated from of old is."""
    undated = event.occurred_at == event.received_at
    return event.occurred_at <= asked_at or (undated and event.mode in _BRINGS_BACK)
