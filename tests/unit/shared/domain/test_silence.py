"""How long a source may be silent: sources that work, that never sleep, that are new, that had an outage."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.silence import Habit, hour_of_week, learn, limit_s

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def habit(*moments: datetime) -> Habit:
    known = Habit(moments[0])
    for moment in moments[1:]:
        known = learn(known, moment)
    return known


def at_work(weeks: int) -> list[datetime]:
    """Every ten minutes from nine to five, Monday to Friday."""
    return [
        MONDAY + timedelta(weeks=week, days=day, hours=9, minutes=ten)
        for week in range(weeks)
        for day in range(5)
        for ten in range(0, 481, 10)
    ]


def day_and_night(weeks: int) -> list[datetime]:
    return [MONDAY + number * 5 * MINUTE for number in range(weeks * 7 * 24 * 12)]


@pytest.mark.parametrize(
    ("moment", "hour"),
    [
        (MONDAY, 0),
        (MONDAY + 59 * MINUTE, 0),
        (MONDAY - MINUTE, 167),
        (MONDAY + timedelta(days=4, hours=17), 4 * 24 + 17),
        (datetime(1970, 1, 1, tzinfo=UTC), 3 * 24),
    ],
)
def test_an_hour_of_the_week(moment: datetime, hour: int) -> None:
    assert hour_of_week(moment) == hour


WORKING = at_work(4)
#: (last heard, hours until it is unusual: at least, at most)
OF_A_WORKING_SOURCE = [
    # On Tuesday at eleven ten minutes are usual, and less than a quarter of an hour never alerts.
    (MONDAY + timedelta(weeks=4, days=1, hours=11), 0.25, 0.25),
    # After work on Tuesday the night is: 16 hours.
    (MONDAY + timedelta(weeks=4, days=1, hours=17), 16, 24),
    # After work on Friday the weekend is: 64 hours, until Monday at nine.
    (MONDAY + timedelta(weeks=4, days=4, hours=17), 64, 96),
]


@pytest.mark.parametrize(("last", "least", "most"), OF_A_WORKING_SOURCE)
def test_nights_and_weekends_are_no_silence_for_a_source_that_works(
    last: datetime, least: float, most: float
) -> None:
    until_then = [moment for moment in at_work(5) if moment <= last]
    limit = limit_s(habit(*until_then))
    assert limit is not None
    assert least <= limit / 3600 <= most


def test_for_one_that_never_sleeps_a_quarter_of_an_hour_is() -> None:
    assert limit_s(habit(*day_and_night(2))) == 900.0


@pytest.mark.parametrize("count", [1, 2, 10, 24])
def test_while_too_little_is_known_there_is_no_limit(count: int) -> None:
    assert limit_s(habit(*(MONDAY + number * HOUR for number in range(count)))) is None


def test_a_day_of_hours_is_enough_to_begin_with() -> None:
    assert limit_s(habit(*(MONDAY + number * HOUR for number in range(25)))) == 1.5 * 3600


def test_an_outage_is_no_habit() -> None:
    moments = day_and_night(9)
    outage = MONDAY + timedelta(weeks=8, days=1)
    known = habit(*(one for one in moments if not outage < one < outage + 5 * HOUR))
    assert limit_s(Habit(MONDAY + timedelta(weeks=9, days=1), known.longest)) == 900.0


def test_what_is_not_later_teaches_nothing() -> None:
    known = habit(*at_work(1))
    assert learn(known, known.heard_at) is known
    assert learn(known, known.heard_at - HOUR) is known


def test_what_is_remembered_is_bounded() -> None:
    known = habit(*(MONDAY + number * 20 * MINUTE for number in range(30 * 7 * 24 * 3)))
    assert len(known.longest) == 168
    assert {len(gaps) for gaps in known.longest.values()} == {8}
