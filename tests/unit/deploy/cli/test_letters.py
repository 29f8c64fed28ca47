"""Which dead letters are meant."""

from __future__ import annotations

from datetime import timedelta

import pytest

from deploy.cli.letters import Choice, choose, counts
from deploy.cli.output import Failed
from shared import clock
from shared.bus.dead_letters import DeadLetter
from shared.errors import Reason

NOW = clock.now()


def letter(**changes: object) -> DeadLetter:
    known: dict[str, object] = {
        "position": "feedback.received.v1.dlq/0/1",
        "origin_topic": "feedback.received.v1",
        "origin": "feedback.received.v1/3/17",
        "reason": "malformed",
        "error": "InvalidInput: it is no JSON",
        "service": "classifier",
        "failed_at": NOW,
        "key": "f1",
        "size_bytes": 3,
        "replayed": False,
        "record": (b"f1", b"{x}", []),
    }
    return DeadLetter(**(known | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("choice", "changes", "taken"),
    [
        (Choice(), {}, True),
        (Choice(), {"replayed": True}, False),
        (Choice(replayed=True), {"replayed": True}, True),
        (Choice(reason=Reason.MALFORMED), {}, True),
        (Choice(reason=Reason.INTERNAL), {}, False),
        (Choice(since=NOW - timedelta(hours=1)), {}, True),
        (Choice(since=NOW + timedelta(hours=1)), {}, False),
        (Choice(until=NOW - timedelta(hours=1)), {}, False),
        (Choice(since=NOW - timedelta(hours=1)), {"failed_at": None}, False),
    ],
)
def test_a_choice_takes_what_fits_all_of_it(choice: Choice, changes: dict[str, object], taken: bool) -> None:  # noqa: FBT001
    assert choice.takes(letter(**changes)) is taken


def test_spans_and_times_are_understood() -> None:
    choice = choose("feedback.received.v1.dlq", None, "2h", "2026-05-04T09:30")
    assert choice.topic == "feedback.received.v1"
    assert choice.since is not None
    assert timedelta(hours=1, minutes=59) < clock.now() - choice.since < timedelta(hours=2, minutes=1)
    assert choice.until is not None
    assert choice.until.tzinfo is not None


@pytest.mark.parametrize(("topic", "since"), [("feedback.recieved.v1", None), (None, "yesterday")])
def test_what_cannot_be_meant_is_refused(topic: str | None, since: str | None) -> None:
    with pytest.raises(Failed):
        choose(topic, None, since, None)


def test_counts_are_by_topic_and_reason_the_most_frequent_first() -> None:
    letters = [letter(), letter(reason="internal"), letter(reason="internal")]
    assert counts(letters) == [
        ("feedback.received.v1", "internal", 2),
        ("feedback.received.v1", "malformed", 1),
    ]
