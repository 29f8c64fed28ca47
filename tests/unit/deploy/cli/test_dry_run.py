"""A piece that nobody sends is made and planned as one that somebody does."""

from __future__ import annotations

from datetime import timedelta

import pytest

from deploy.cli.dry_run import Overrides, Planned, Said, overridden, planned, received
from shared.domain.delivery import CONTRIBUTOR
from shared.domain.lens import Lens
from shared.domain.route_steps import takers
from shared.errors import InvalidInput
from shared.events.feedback import Mode, Polarity, Tags, UrgencyReason
from tests.support.company import NOW, directory

COMPANY = directory()


def plan(said: Said, asked: Overrides) -> Planned:
    event = received(said, COMPANY, NOW)
    tags = overridden(Tags(needs_triage=True, triage_reason="unclear"), asked, event, COMPANY)
    return planned(event, tags, COMPANY, model="x", now=NOW, max_age=timedelta(hours=24))


def told(found: Planned) -> dict[str, str]:
    return {row.recipient: "; ".join(row.why) for row in found.rows}


def test_who_hears_of_it_is_who_would() -> None:
    found = plan(
        Said("It is slow.", sender="sam@acme.example"),
        Overrides(touchpoints=("ordering",), polarity=Polarity.CHANGE),
    )
    people = told(found)
    assert list(people) == ["pia", "ben", "ann", "cleo", CONTRIBUTOR]
    assert people["cleo"] == "Agent of *Activation*, the step just after *Ordering*"
    assert found.labels["account"] == ("acme",)
    assert list(takers(found.tree)) == ["people"]
    assert not found.piece.tags.needs_triage


def test_without_a_touchpoint_it_stays_in_triage() -> None:
    assert "tess" in told(plan(Said("Hm."), Overrides()))


def test_an_alarm_of_an_account_reaches_who_looks_after_it() -> None:
    found = plan(
        Said("We leave.", sender="sam@acme.example"),
        Overrides(touchpoints=("invoice",), urgent=UrgencyReason.MAY_LEAVE, lenses=(Lens.DESIGN,)),
    )
    assert {"eve", "gus"} <= set(told(found))
    assert all(row.urgent for row in found.rows if row.recipient != CONTRIBUTOR)


@pytest.mark.parametrize("mode", [Mode.TEST, Mode.IMPORT])
def test_what_is_not_live_is_told_to_nobody(mode: Mode) -> None:
    assert plan(Said("It is slow.", mode=mode), Overrides(touchpoints=("ordering",))).rows == ()


def test_nobody_is_told_of_their_own_words() -> None:
    found = plan(Said("It is slow.", sender="pia@brightline.example"), Overrides(touchpoints=("ordering",)))
    assert "pia" not in told(found)


def test_in_confidence_the_name_is_nowhere() -> None:
    said = Said("It is slow. Ben Order", sender="sam.sample@acme.example", confidential=True)
    found = plan(said, Overrides(touchpoints=("ordering",)))
    assert "sam.sample" not in found.piece.model_dump_json()
    assert found.piece.codename


def test_a_touchpoint_that_is_none_is_said_with_the_nearest() -> None:
    with pytest.raises(InvalidInput) as caught:
        plan(Said("It is slow."), Overrides(touchpoints=("ordring",)))
    assert caught.value.remedy == "did you mean 'ordering'?"


def test_what_ingest_would_refuse_is_refused() -> None:
    with pytest.raises(InvalidInput, match="neither text nor an attachment"):
        plan(Said("  "), Overrides())
