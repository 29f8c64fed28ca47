"""A piece as a line for people and an object for scripts."""

from __future__ import annotations

from dataclasses import replace

from deploy.cli import pieces
from shared.domain.delivery import Delivery, Purpose, State, Target
from shared.domain.lens import Lens
from shared.events.feedback import (
    Cause,
    FeedbackClassified,
    LensTag,
    Polarity,
    Speaker,
    Tags,
    TouchpointTag,
    Urgency,
)
from tests.support.company import NOW

PIECE = FeedbackClassified(
    feedback_id="f1",
    revision=1,
    channel="rest",
    source="portal",
    title="Bill",
    text="Nobody can read it.\x1b[31m\nReally nobody, " + "at all. " * 20,
    reported_by=Speaker(person_id="p"),
    occurred_at=NOW,
    received_at=NOW,
    classified_at=NOW,
    cause=Cause.EDITED,
    tag_revision=1,
    tags=Tags(
        touchpoints=(TouchpointTag(id="payment", score=0.6), TouchpointTag(id="bill", score=0.9)),
        lenses=(LensTag(id=Lens.FINANCE_LEGAL, score=0.8),),
        polarity=Polarity.CHANGE,
        urgency=Urgency.URGENT,
    ),
)
ROW = Delivery(
    id="d1",
    notice_id="n1",
    feedback_id="f1",
    purpose=Purpose.NOTICE,
    recipient="pia",
    chain=(Target("slack", "U1"), Target("email", "pia@small.example")),
    due_at=NOW,
    revision=1,
    received_at=NOW,
    why=("Agent of *Bill*",),
    state=State.SENT,
    position=1,
)


def test_the_line_says_what_matters_and_steers_no_terminal() -> None:
    shown = pieces.line(PIECE, pieces.told([ROW])).plain
    for words in ("edited", "urgent", "change", "bill, payment", "[finance & legal]", "→ pia (email)"):
        assert words in shown
    assert "\x1b" not in shown
    assert "\n" not in shown
    assert "…”" in shown


def test_what_needs_triage_and_what_nobody_is_told_of_are_visible() -> None:
    unsure = PIECE.model_copy(update={"tags": Tags(needs_triage=True)})
    shown = pieces.line(unsure, ()).plain
    assert "needs triage" in shown
    assert "→ nobody" in shown


def test_people_and_places_are_called_as_people_call_them() -> None:
    rows = [
        ROW,
        replace(ROW, recipient="place:crm", position=0),
        replace(ROW, recipient="contributor"),
        replace(ROW, recipient="contributor", chain=(Target("contributor", "f1"),), position=0),
    ]
    shown = pieces.line(PIECE, pieces.told(rows), {"pia": "Pia Post"}).plain
    assert shown.endswith("→ Pia Post (email), crm (slack), whoever spoke (email), whoever spoke")


def test_the_memory_of_a_deletion_is_told_to_nobody() -> None:
    assert pieces.told([replace(ROW, recipient="", chain=())]) == ()


def test_scripts_get_everything() -> None:
    found = pieces.as_json(PIECE, pieces.told([ROW, replace(ROW, recipient="place:crm", why=())]))
    assert found["feedback_id"] == "f1"
    assert found["told"] == [
        {"who": "pia", "by": "email", "state": "sent", "purpose": "notice", "why": ["Agent of Bill"]},
        {"who": "place:crm", "by": "email", "state": "sent", "purpose": "notice", "why": []},
    ]
