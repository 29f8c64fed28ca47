"""What follows from an attempt."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from services.notifier.domain import outcome
from services.notifier.domain.outcome import Limits
from shared.domain.delivery import Attempt, Delivery, ProviderRef, Purpose, State, Target
from shared.errors import PermanentError, Reason, TransientError
from tests.support.company import NOW

LIMITS = Limits(retry_for=timedelta(seconds=100), first_delay_s=2, most_delay_s=30)
ROW = Delivery(
    id="d-1",
    notice_id="n-1",
    feedback_id="f-1",
    purpose=Purpose.NOTICE,
    recipient="pia",
    chain=(Target("slack", "U1"), Target("email", "pia@brightline.example")),
    due_at=NOW,
    revision=1,
    received_at=NOW,
)
LAST = replace(ROW, position=1)
AWAY = TransientError(Reason.UNREACHABLE, "not reached")
NO = PermanentError(Reason.REJECTED, "no such channel")


def at(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


class TestTransient:
    @pytest.mark.parametrize(
        ("tries", "jitter", "delay_s"),
        [(0, 1.0, 2), (0, 0.0, 1), (1, 1.0, 4), (2, 1.0, 8), (3, 0.5, 12), (9, 1.0, 30), (99, 1.0, 30)],
    )
    def test_delays_double_and_are_spread(self, tries: int, jitter: float, delay_s: float) -> None:
        row = replace(ROW, tries=tries, trying_since=NOW)
        after = outcome.after_transient(row, AWAY, NOW, LIMITS, jitter)
        assert (after.state, after.due_at, after.tries) == (State.DUE, NOW + at(delay_s), tries + 1)
        assert after.position == 0

    def test_not_before_the_other_side_asked(self) -> None:
        slow = TransientError(Reason.RATE_LIMITED, "slower", retry_after_s=60)
        assert outcome.after_transient(ROW, slow, NOW, LIMITS, 0.0).due_at == NOW + at(60)

    def test_when_the_time_is_up_the_next_in_the_chain(self) -> None:
        row = replace(ROW, tries=5, trying_since=NOW - at(99))
        after = outcome.after_transient(row, AWAY, NOW, LIMITS, 1.0)
        assert (after.position, after.state, after.tries, after.trying_since) == (1, State.DUE, 0, None)
        assert after.due_at == NOW

    def test_who_asks_for_more_time_than_there_is_is_left_at_once(self) -> None:
        slow = TransientError(Reason.RATE_LIMITED, "slower", retry_after_s=101)
        assert outcome.after_transient(ROW, slow, NOW, LIMITS, 0.0).position == 1

    def test_after_the_last_in_the_chain_it_has_failed(self) -> None:
        row = replace(LAST, trying_since=NOW - at(100))
        after = outcome.after_transient(row, AWAY, NOW, LIMITS, 1.0)
        assert (after.state, after.problem) == (State.FAILED, "gave up: unreachable: not reached")

    def test_each_link_of_the_chain_has_its_own_time(self) -> None:
        after = outcome.after_transient(LAST, AWAY, NOW + at(500), LIMITS, 1.0)
        assert (after.position, after.trying_since) == (1, NOW + at(500))


class TestPermanent:
    def test_the_next_in_the_chain_at_once(self) -> None:
        after = outcome.after_permanent(ROW, NO, NOW)
        assert (after.state, after.position, after.due_at) == (State.DUE, 1, NOW)
        assert after.problem == "rejected: no such channel"

    def test_after_the_last_it_has_failed(self) -> None:
        assert outcome.after_permanent(LAST, NO, NOW).state is State.FAILED


class TestUnknown:
    def test_urgent_again_at_the_same_place(self) -> None:
        after = outcome.after_unknown(replace(ROW, urgent=True), NOW, LIMITS, 1.0, can_ask=True)
        assert (after.state, after.position, after.due_at) == (State.DUE, 0, NOW + at(2))

    def test_urgent_never_stays_unknown(self) -> None:
        tired = replace(ROW, urgent=True, trying_since=NOW - at(100))
        assert outcome.after_unknown(tired, NOW, LIMITS, 1.0, can_ask=False).position == 1
        last = replace(tired, position=1)
        assert outcome.after_unknown(last, NOW, LIMITS, 1.0, can_ask=False).state is State.FAILED

    def test_who_can_be_asked_is_asked_in_a_while(self) -> None:
        after = outcome.after_unknown(ROW, NOW, LIMITS, 1.0, can_ask=True)
        assert (after.state, after.due_at) == (State.SENDING, NOW + at(2))

    def test_who_does_not_answer_in_the_end_leaves_it_unknown(self) -> None:
        tired = replace(ROW, trying_since=NOW - at(100))
        assert outcome.after_unknown(tired, NOW, LIMITS, 1.0, can_ask=True).state is State.UNKNOWN

    def test_who_cannot_be_asked_leaves_it_unknown_and_no_fallback_follows(self) -> None:
        after = outcome.after_unknown(ROW, NOW, LIMITS, 1.0, can_ask=False)
        assert (after.state, after.position) == (State.UNKNOWN, 0)

    def test_what_did_not_arrive_goes_at_once(self) -> None:
        after = outcome.after_not_found(replace(ROW, tries=3), NOW)
        assert (after.state, after.due_at, after.tries) == (State.DUE, NOW, 3)


class TestHeldUp:
    def test_it_comes_again_when_the_way_is_open(self) -> None:
        after = outcome.held_up(ROW, NOW + at(5), NOW, LIMITS, 0.5)
        assert (after.attempt, after.state, after.due_at) == (Attempt.DEFERRED, State.DUE, NOW + at(5.5))
        assert (after.tries, after.trying_since) == (0, NOW)

    def test_the_time_it_waits_counts(self) -> None:
        waiting = replace(ROW, trying_since=NOW - at(99))
        assert outcome.held_up(waiting, NOW + at(5), NOW, LIMITS, 0.5).position == 1

    def test_a_moment_that_is_kept_for_it_does_not_count(self) -> None:
        after = outcome.deferred(ROW, NOW + at(5000))
        assert (after.state, after.position, after.trying_since) == (State.DUE, 0, None)


def test_sent() -> None:
    ref = ProviderRef("slack", "D1", "1.2")
    after = outcome.after_sent(ROW, ref, NOW)
    assert (after.state, after.provider_ref, after.attempt) == (State.SENT, ref, Attempt.SENT)


def test_no_longer_wanted() -> None:
    after = outcome.void(ROW, NOW, "nobody to answer")
    assert (after.state, after.problem) == (State.CANCELLED, "nobody to answer")
