"""One message a second and destination, and nobody waits for somebody else's destination."""

from __future__ import annotations

from datetime import timedelta

from services.notifier.pace import Pace
from tests.support.company import NOW


def at(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


def test_the_first_goes_at_once_the_next_get_moments_of_their_own() -> None:
    pace = Pace()
    waits = [pace.wait_until(f"d{number}", "slack C1", 1.0, NOW) for number in range(4)]
    assert waits == [None, NOW + at(1), NOW + at(2), NOW + at(3)]


def test_a_kept_moment_is_honoured_when_it_comes() -> None:
    pace = Pace()
    for number in range(3):
        pace.wait_until(f"d{number}", "slack C1", 1.0, NOW)
    assert pace.wait_until("d1", "slack C1", 1.0, NOW + at(1)) is None
    assert pace.wait_until("d3", "slack C1", 1.0, NOW + at(1)) == NOW + at(3)
    assert pace.wait_until("d2", "slack C1", 1.0, NOW + at(2)) is None


def test_who_comes_too_early_is_sent_away_to_the_same_moment() -> None:
    pace = Pace()
    pace.wait_until("d0", "slack C1", 1.0, NOW)
    assert pace.wait_until("d1", "slack C1", 1.0, NOW) == NOW + at(1)
    assert pace.wait_until("d1", "slack C1", 1.0, NOW + at(0.2)) == NOW + at(1)


def test_destinations_do_not_wait_for_each_other() -> None:
    pace = Pace()
    assert pace.wait_until("d0", "slack C1", 1.0, NOW) is None
    assert pace.wait_until("d1", "slack C2", 1.0, NOW) is None


def test_without_a_pause_nobody_waits() -> None:
    pace = Pace()
    assert [pace.wait_until(f"d{number}", "email a", 0.0, NOW) for number in range(5)] == [None] * 5


def test_a_destination_that_asks_for_time_gets_it() -> None:
    pace = Pace()
    pace.wait_until("d0", "slack C1", 1.0, NOW)
    pace.wait_until("d1", "slack C1", 1.0, NOW)
    pace.pause("slack C1", NOW + at(30))
    assert pace.wait_until("d1", "slack C1", 1.0, NOW + at(1)) == NOW + at(30)
    assert pace.wait_until("d2", "slack C1", 1.0, NOW + at(1)) == NOW + at(31)
    assert pace.wait_until("d3", "slack C2", 1.0, NOW + at(1)) is None


def test_what_is_past_is_forgotten() -> None:
    pace = Pace()
    for number in range(3000):
        pace.wait_until(f"d{number}", f"email {number}", 0.0, NOW + at(number))
    assert len(pace._free_at) < 1100
