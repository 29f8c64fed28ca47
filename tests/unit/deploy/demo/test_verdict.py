"""The demo fails with a sentence when something is missing, wrong, or too much."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from deploy.demo.doors.answer import Answer
from deploy.demo.pieces import Door, Outcome, Piece, Tags
from deploy.demo.verdict import Arrival, Evidence, Seen, failures, tag_score
from shared.domain.delivery import CONTRIBUTOR, Delivery, ProviderRef, Purpose, State, Target
from shared.domain.summary import Summary
from shared.events.feedback import (
    Cause,
    FeedbackClassified,
    Mode,
    Polarity,
    Speaker,
    TouchpointTag,
)
from shared.events.feedback import (
    Tags as ClassifiedTags,
)
from tests.support.company import NOW

PIECE = Piece(
    id="bill", door=Door.MAIL, who="ada@customer.example", text="The bill.", expect=Tags(touchpoint="bill")
)
ANSWER = Answer(Outcome.KEPT, "250", NOW, name="<1@customer.example>")
CLASSIFIED = FeedbackClassified(
    feedback_id="f1",
    revision=1,
    channel="mail",
    source="mail",
    text="The bill.",
    reported_by=Speaker(person_id="p"),
    occurred_at=NOW,
    received_at=NOW,
    classified_at=NOW,
    cause=Cause.RECEIVED,
    tag_revision=1,
    tags=ClassifiedTags(touchpoints=(TouchpointTag(id="bill", score=0.9),), polarity=Polarity.CHANGE),
)


def row(recipient: str, purpose: Purpose = Purpose.NOTICE) -> Delivery:
    return Delivery(
        id=f"d-{recipient}",
        notice_id="n",
        feedback_id="f1",
        purpose=purpose,
        recipient=recipient,
        chain=(Target("email", f"{recipient}@small.example"),),
        due_at=NOW,
        revision=1,
        received_at=NOW,
        state=State.SENT,
        provider_ref=ProviderRef("email", "x", f"<{recipient}>"),
    )


def arrival(recipient: str, words: str = "The bill.", answers: str = "") -> Arrival:
    return Arrival("mail", f"<{recipient}>", NOW + timedelta(milliseconds=80), words, answers)


GOOD = Seen(
    piece=PIECE,
    answer=ANSWER,
    now=CLASSIFIED,
    causes=(Cause.RECEIVED,),
    deliveries=(row("pia"), row(CONTRIBUTOR, Purpose.ACKNOWLEDGEMENT)),
    arrivals=(arrival("pia"), arrival(CONTRIBUTOR, answers="<1@customer.example>")),
)


def evidence(seen: Seen) -> Evidence:
    return Evidence((seen,), seen.arrivals, 1, (), 0, 1)


def said(seen: Seen) -> str:
    return "\n".join(failures(evidence(seen)))


def piece(**changes: object) -> Piece:
    return PIECE.model_copy(update=changes)


def test_all_is_well() -> None:
    assert failures(evidence(GOOD)) == []
    assert tag_score([GOOD]) == (1, 1)


def test_each_thing_that_can_be_wrong_is_a_sentence() -> None:
    bare = CLASSIFIED.model_copy(update={"tags": ClassifiedTags()})
    failed = replace(GOOD.deliveries[0], state=State.FAILED, problem="rejected: 550", provider_ref=None)
    not_in_thread = (arrival("pia"), arrival(CONTRIBUTOR))
    cases = {
        "at the door it was refused": replace(GOOD, answer=replace(ANSWER, outcome=Outcome.REFUSED)),
        "never classified": replace(GOOD, now=None, deliveries=(), arrivals=()),
        "touchpoint is not bill": replace(GOOD, piece=piece(must=Tags(touchpoint="bill")), now=bare),
        "oscar was not told": replace(GOOD, piece=piece(told=("oscar",))),
        "must alert nobody": replace(GOOD, piece=piece(told=())),
        "nobody was told": replace(GOOD, deliveries=GOOD.deliveries[1:], arrivals=GOOD.arrivals[1:]),
        "is failed (rejected: 550)": replace(GOOD, deliveries=(failed, GOOD.deliveries[1])),
        "never arrived": replace(GOOD, arrivals=GOOD.arrivals[1:]),
        "was not answered": replace(GOOD, deliveries=GOOD.deliveries[:1], arrivals=GOOD.arrivals[:1]),
        "must not be": replace(GOOD, piece=piece(acknowledged=False)),
        "not in the thread": replace(GOOD, arrivals=not_in_thread),
        "made unreadable was passed on": replace(GOOD, piece=piece(redacted="bill.")),
        "was to stay hidden": replace(GOOD, piece=piece(hidden=("The bill",))),
        "said in confidence": replace(GOOD, piece=piece(confidential=True)),
        "its picture is gone": replace(GOOD, piece=piece(file="screenshot")),
        "deleted, and that was never published": replace(GOOD, piece=piece(deleted_later=True)),
        "no delivery explains it": replace(GOOD, arrivals=(*GOOD.arrivals, arrival("stranger"))),
        "arrived 2 times": replace(GOOD, arrivals=(*GOOD.arrivals, arrival("pia"))),
        "only 0 of 1 tags": replace(GOOD, now=bare),
    }
    for sentence, seen in cases.items():
        assert sentence in said(seen), sentence


def test_what_was_counted_must_add_up() -> None:
    whole = replace(evidence(GOOD), documents=2, quarantined=("bounce",), webhooks_refused=3, files_fetched=0)
    assert len(failures(whole)) == 4


def test_what_was_brought_along_is_summed_up_once_for_each_reader() -> None:
    brought = CLASSIFIED.model_copy(update={"mode": Mode.BACKFILL})
    old = Seen(piece(told=(), acknowledged=False), ANSWER, brought, (Cause.RECEIVED,), (), ())
    sums = Summary("old", 1, 1, 0, 1, 0, NOW, NOW)
    told = replace(row("pia"), purpose=Purpose.SUMMARY, feedback_id="", summary=sums)
    whole = replace(evidence(old), summaries=(told,), arrivals=(arrival("pia"),))
    assert failures(whole) == []
    cases = {
        "summaries tell of none": replace(whole, summaries=(), arrivals=()),
        "summaries tell of [2]": replace(whole, summaries=(replace(told, summary=replace(sums, of_all=2)),)),
        "is failed (no reason given)": replace(whole, summaries=(replace(told, state=State.FAILED),)),
        "never arrived": replace(whole, arrivals=()),
        "arrived 2 times": replace(whole, arrivals=(arrival("pia"), arrival("pia"))),
    }
    for sentence, changed in cases.items():
        assert sentence in "\n".join(failures(changed)), sentence
