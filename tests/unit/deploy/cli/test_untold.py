"""Why somebody did not hear of a piece."""

from __future__ import annotations

from datetime import timedelta

from deploy.cli.untold import untold
from shared.domain.delivery import CONTRIBUTOR, Delivery, Purpose, Target
from shared.events.feedback import Change, FeedbackClassified, Mode, ReplyTo
from tests.support.company import NOW, directory, piece

COMPANY = directory()
DAY = timedelta(hours=24)


def row(recipient: str, purpose: Purpose = Purpose.NOTICE) -> Delivery:
    return Delivery(recipient, "n", "f-1", purpose, recipient, (Target("email", "a@b.example"),), NOW, 1, NOW)


def said(one: FeedbackClassified, *rows: Delivery) -> str:
    return " ".join(untold(one, rows, COMPANY, DAY))


def test_a_mode_that_alerts_nobody() -> None:
    assert "its mode is test" in said(piece(mode=Mode.TEST))


def test_what_is_old_when_it_comes() -> None:
    assert "older than 24 h when it came" in said(piece(occurred_at=NOW - DAY))


def test_what_was_deleted() -> None:
    assert "deleted" in said(piece(change=Change.DELETED))


def test_their_own_words() -> None:
    assert "Pia Portal is not told: nobody is told of their own words." in said(piece(by="pia"))


def test_whoever_spoke() -> None:
    assert "no address is known" in said(piece())
    machine = ReplyTo(receiver="email", address="a@b.example", auto_generated=True)
    assert "a machine wrote it" in said(piece(reply_to=machine))
    answered = row(CONTRIBUTOR, Purpose.ACKNOWLEDGEMENT)
    assert "not answered" not in said(piece(), answered)


def test_who_would_be_told_by_now_and_was_not() -> None:
    told = [row(name) for name in ("pia", "ben")]
    assert "Ann Quote (Agent of Ordering) has no delivery" in said(piece(directory_version=7), *told)
    assert "the directory was version 7 then, it is 1 by now" in said(piece(directory_version=7), *told)
    assert "Ben" not in said(piece(), *told)
