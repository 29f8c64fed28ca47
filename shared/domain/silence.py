"""How long a source may be silent, learned from how long it has been: by the hour of the week.

A source is what stands behind a channel: a workspace, a mailbox, a system with a key. From Friday evening to
Monday morning is no silence for one that speaks at work, and an hour is one for another that never sleeps.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

_HOUR_S = 3_600
_HOURS_OF_A_WEEK = 168
#: 1970 began on a Thursday.
_FIRST_HOUR = 3 * 24
#: Weeks that are remembered, for each hour.
_MOST_WEEKS = 8
#: Of the gaps that began around an hour of the week; fewer say too little, and all hours are asked.
_LEAST_GAPS = 6
#: Of all gaps; before that it is still learned.
_LEAST_IN_ALL = 24
#: So that an outage or a holiday in ten weeks is not taken for a habit.
_QUANTILE = 0.9
_MARGIN = 1.5
_LEAST_LIMIT_S = 900.0

#: (the hour since 1970 in which it began, how long it was)
Gap = tuple[int, float]


@dataclass(frozen=True, slots=True)
class Habit:
    """`longest` has for an hour of the week the longest gap that began in it, in each of the last weeks.

    It is known up to `heard_at`.
    """

    heard_at: datetime
    longest: Mapping[int, tuple[Gap, ...]] = field(default_factory=dict)


def hour_of_week(moment: datetime) -> int:
    """0 is Monday, midnight to one, in UTC: since clocks are changed, the hours beside it are asked too."""
    return (_hour(moment) + _FIRST_HOUR) % _HOURS_OF_A_WEEK


def learn(habit: Habit, heard_at: datetime) -> Habit:
    """The habit after something was heard again; what is not later than `habit.heard_at` changes nothing."""
    gap_s = (heard_at - habit.heard_at).total_seconds()
    if gap_s <= 0:
        return habit
    began, week_hour = _hour(habit.heard_at), hour_of_week(habit.heard_at)
    known = habit.longest.get(week_hour, ())
    if known and known[-1][0] == began:
        gaps = (*known[:-1], (began, max(known[-1][1], gap_s)))
    else:
        gaps = (*known, (began, gap_s))[-_MOST_WEEKS:]
    return replace(habit, heard_at=heard_at, longest={**habit.longest, week_hour: gaps})


def limit_s(habit: Habit) -> float | None:
    """How long a silence since `habit.heard_at` is nothing unusual; None while too little is known."""
    everything = [gap for gaps in habit.longest.values() for _, gap in gaps]
    if len(everything) < _LEAST_IN_ALL:
        return None
    hour = hour_of_week(habit.heard_at)
    around = [
        gap for beside in (-1, 0, 1) for _, gap in habit.longest.get((hour + beside) % _HOURS_OF_A_WEEK, ())
    ]
    usual = _quantile(around if len(around) >= _LEAST_GAPS else everything)
    return max(usual * _MARGIN, _LEAST_LIMIT_S)


def _quantile(gaps: Sequence[float]) -> float:
    return sorted(gaps)[math.ceil(_QUANTILE * len(gaps)) - 1]


def _hour(moment: datetime) -> int:
    return int(moment.timestamp()) // _HOUR_S
