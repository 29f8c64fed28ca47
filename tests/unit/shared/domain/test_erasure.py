"""Whom the ledger bars, and when a service has a pass to make."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.domain.erasure import ACCOUNT, PARTS, PASSES, PERSON, Erasure, Ledger, Order, Part, passes_due
from shared.events.feedback import FeedbackReceived, Mode, Speaker

ASKED = datetime(2026, 3, 2, 12, tzinfo=UTC)
BEFORE, AFTER = ASKED - timedelta(days=1), ASKED + timedelta(days=1)


def said(person: str = "dora", **changes: Any) -> FeedbackReceived:  # noqa: ANN401 - fields
    fields: dict[str, Any] = {
        "feedback_id": "f",
        "revision": 1,
        "channel": "rest",
        "source": "portal",
        "text": "It is fine.",
        "reported_by": Speaker(person_id=person),
        "occurred_at": BEFORE,
        "received_at": AFTER,
    }
    return FeedbackReceived.model_validate({**fields, **changes})


def mark(kind: str, name: str) -> str:
    return f"hash of {kind} {name}"


def entry(**changes: Any) -> Erasure:  # noqa: ANN401 - fields
    marks = frozenset({mark(PERSON, "dora"), mark(ACCOUNT, "acme")})
    return Erasure(**{"id": "e", "marks": marks, "asked_at": ASKED, **changes})


@pytest.mark.parametrize(
    ("event", "barred"),
    [
        (said(), True),
        (said("max"), False),
        (said("max", spoken_for=Speaker(person_id="dora")), True),
        (said("max", spoken_for=Speaker(person_id="eve", account="acme")), True),
        (said(occurred_at=AFTER), False),
        (said(occurred_at=AFTER, mode=Mode.LIVE), False),
        # No date of its own: a mail is news, a row of a file is not.
        (said(occurred_at=AFTER, received_at=AFTER, mode=Mode.IMPORT), True),
        (said(occurred_at=AFTER, received_at=AFTER, mode=Mode.BACKFILL), True),
        (said(occurred_at=AFTER, received_at=AFTER + timedelta(days=1), mode=Mode.IMPORT), False),
    ],
)
def test_what_was_said_before_is_barred_and_what_is_said_after_is_heard(
    event: FeedbackReceived, *, barred: bool
) -> None:
    assert (Ledger([entry()]).barred_by(event, mark) is not None) is barred


def test_without_the_key_it_is_known_as_long_as_the_order_stands() -> None:
    order = Order(ASKED, people=frozenset({"dora"}), accounts=frozenset({"acme"}))
    assert Ledger([entry(order=order)]).barred_by(said()) is not None
    colleague = said("max", reported_by={"person_id": "max", "account": "acme"})
    assert Ledger([entry(order=order)]).barred_by(colleague) is not None
    assert Ledger([entry()]).barred_by(said()) is None


def test_who_asked_twice_is_forgotten_up_to_the_second_time() -> None:
    later = entry(id="later", asked_at=AFTER + timedelta(hours=1))
    found = Ledger([later, entry()]).barred_by(said(occurred_at=AFTER), mark)
    assert found is not None
    assert found.id == "later"


def test_passes_are_due_one_after_the_other_and_missed_ones_are_made_good_by_one() -> None:
    order = Order(ASKED)
    assert [passes_due(order, ASKED + after) for after in PASSES] == [1, 2, 3, 4, 5, 6]
    assert passes_due(order, ASKED - timedelta(seconds=1)) == 0
    waiting = entry(order=order)
    assert waiting.is_due("ingest", ASKED)
    assert not entry(order=order, parts={"ingest": Part(passes=1)}).is_due("ingest", ASKED)
    assert entry(order=order, parts={"ingest": Part(passes=1)}).is_due("ingest", ASKED + timedelta(days=2))
    assert not entry(order=None).is_due("ingest", ASKED)


def test_it_is_done_when_every_part_made_a_pass_and_complete_a_week_later() -> None:
    order = Order(ASKED)
    parts = {name: Part(passes=1) for name in PARTS}
    assert entry(order=order, parts=parts).is_done
    assert not entry(order=order, parts={**parts, "notifier": Part()}).is_done
    assert entry(order=order).complete_on == ASKED + timedelta(days=7)
