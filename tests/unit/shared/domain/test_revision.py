"""Which event of a piece wins, as a table."""

from __future__ import annotations

from itertools import permutations

import pytest

from shared.domain.revision import Head, Verdict, decide, is_stored, winner
from shared.events.feedback import Change, FeedbackReceived
from tests.support.feedback import piece


def event(revision: int, content: str = "a", *, deleted: bool = False) -> FeedbackReceived:
    return piece(revision=revision, content_hash=content, change=Change.DELETED if deleted else Change.EDITED)


ALIVE = Head(revision=5, content_hash="a", deleted=False)
BURIED = Head(revision=5, content_hash="", deleted=True)


@pytest.mark.parametrize(
    ("incoming", "head", "verdict"),
    [
        (event(1), None, Verdict.NEW),
        (event(1, deleted=True), None, Verdict.DELETION),
        (event(6, "b"), ALIVE, Verdict.NEWER),
        (event(6, "a"), ALIVE, Verdict.SAME_CONTENT),
        (event(6, ""), Head(5, "", deleted=False), Verdict.NEWER),
        (event(5, "a"), ALIVE, Verdict.REPEATED),
        (event(5, "b"), ALIVE, Verdict.REPEATED),
        (event(4, "b"), ALIVE, Verdict.OUTDATED),
        (event(6, deleted=True), ALIVE, Verdict.DELETION),
        (event(5, deleted=True), ALIVE, Verdict.DELETION),
        (event(4, deleted=True), ALIVE, Verdict.DELETION),
        (event(9, "b"), BURIED, Verdict.OUTDATED),
        (event(5, "b"), BURIED, Verdict.OUTDATED),
        (event(6, deleted=True), BURIED, Verdict.DELETION),
        (event(5, deleted=True), BURIED, Verdict.REPEATED),
        (event(4, deleted=True), BURIED, Verdict.OUTDATED),
    ],
)
def test_decide(incoming: FeedbackReceived, head: Head | None, verdict: Verdict) -> None:
    assert decide(incoming, head) is verdict


def test_the_winner_does_not_depend_on_the_order() -> None:
    events = [event(1), event(3), event(2, deleted=True), event(4)]
    assert {winner(order).revision for order in permutations(events)} == {2}
    assert {winner(order).revision for order in permutations([event(1), event(3), event(2)])} == {3}


def test_of_equal_events_the_first_wins() -> None:
    first, again = event(1), event(1)
    assert winner([first, again]) is first


def test_stored_is_what_this_event_left_behind() -> None:
    assert is_stored(event(5), ALIVE)
    assert not is_stored(event(5, deleted=True), ALIVE)
    assert not is_stored(event(4), ALIVE)
