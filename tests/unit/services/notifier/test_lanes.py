"""A server that is away or slow holds up its own deliveries only."""

from __future__ import annotations

from contextlib import AbstractContextManager, suppress
from datetime import timedelta

import pytest

from services.notifier.lanes import Lanes
from shared.errors import ListeningPostError, PermanentError, Reason, TransientError, UnknownOutcome
from tests.support.company import NOW

AWAY = TransientError(Reason.UNREACHABLE, "away")


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def pass_s(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def lanes(clock: Clock) -> Lanes:
    return Lanes(2, lambda: clock.now)


def fail(lanes: Lanes, error: ListeningPostError = AWAY, name: str = "email") -> None:
    with suppress(ListeningPostError), lanes.used(name):
        raise error


def wait_s(lanes: Lanes, clock: Clock, name: str = "email") -> float:
    until = lanes.wait_until(name)
    return 0.0 if until is None else (until - clock.now).total_seconds()


def test_open_at_first_and_after_success(lanes: Lanes, clock: Clock) -> None:
    assert wait_s(lanes, clock) == 0
    with lanes.used("email"):
        pass
    assert wait_s(lanes, clock) == 0


def test_closed_after_a_failure_and_the_others_stay_open(lanes: Lanes, clock: Clock) -> None:
    fail(lanes)
    assert wait_s(lanes, clock) == 1
    assert wait_s(lanes, clock, "slack") == 0


@pytest.mark.parametrize("error", [AWAY, UnknownOutcome("silence")])
def test_what_counts_as_away(lanes: Lanes, clock: Clock, error: ListeningPostError) -> None:
    fail(lanes, error)
    assert wait_s(lanes, clock) > 0


@pytest.mark.parametrize(
    "error",
    [
        PermanentError(Reason.REJECTED, "no such mailbox"),
        TransientError(Reason.RATE_LIMITED, "slower"),
        TransientError(Reason.REJECTED, "greylisted"),
    ],
)
def test_who_refuses_one_message_is_there(lanes: Lanes, clock: Clock, error: ListeningPostError) -> None:
    fail(lanes, error)
    assert wait_s(lanes, clock) == 0


def test_one_at_a_time_tries_whether_it_is_back(lanes: Lanes, clock: Clock) -> None:
    fail(lanes)
    clock.pass_s(1)
    assert wait_s(lanes, clock) == 0
    with lanes.used("email"):
        assert wait_s(lanes, clock) == 1
    assert wait_s(lanes, clock) == 0


def test_each_try_in_vain_doubles_the_wait_up_to_30_s(lanes: Lanes, clock: Clock) -> None:
    waits = []
    for _ in range(8):
        fail(lanes)
        waits.append(wait_s(lanes, clock))
        clock.pass_s(waits[-1])
    assert waits == [1, 2, 4, 8, 16, 30, 30, 30]


def test_those_that_were_under_way_together_count_once(lanes: Lanes, clock: Clock) -> None:
    together: list[AbstractContextManager[None]] = [lanes.used("email") for _ in range(20)]
    for one in together:
        one.__enter__()
    for one in together:
        one.__exit__(TransientError, AWAY, None)
    assert wait_s(lanes, clock) == 1


def test_full_while_too_many_are_slow(lanes: Lanes, clock: Clock) -> None:
    with lanes.used("hook"), lanes.used("hook"), lanes.used("hook"):
        assert wait_s(lanes, clock, "hook") == 0
        clock.pass_s(1.5)
        assert wait_s(lanes, clock, "hook") == 1
        assert wait_s(lanes, clock, "email") == 0
    assert wait_s(lanes, clock, "hook") == 0


def test_nothing_is_remembered_of_what_works(lanes: Lanes) -> None:
    for number in range(100):
        with lanes.used(f"host-{number}"):
            pass
    assert lanes._lanes == {}
