"""A contributor's segment and persona: what is said of them, else the first rule that holds."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from shared.domain.account import Account, Persona, Segment
from shared.domain.rules import PersonaRule, PersonaRules, SegmentRule, SegmentRules
from tests.support.company import directory

SEGMENTS = [
    {"id": "public", "name": "Public", "rules": [{"domains": ["gov", "city.example"]}]},
    {"id": "key", "name": "Key", "rules": [{"tiers": ["gold"], "yearly_value": {"min": 100_000}}]},
    {"id": "small", "name": "Small", "rules": [{"yearly_value": {"max": 10_000}}, {"tiers": ["free"]}]},
    {"id": "none", "name": "None"},
    {"id": "empty", "name": "Empty", "rules": [{}]},
]
PERSONAS = [
    {
        "id": "it",
        "name": "IT",
        "rules": [{"titles": ["IT", "network administrator"]}, {"local_parts": ["admin", "it-*"]}],
    },
    {"id": "billing", "name": "B", "rules": [{"local_parts": ["rechnung", "admin"]}]},
    {"id": "both", "name": "Both", "rules": [{"titles": ["Buyer"], "local_parts": ["einkauf*"]}]},
]


@pytest.mark.parametrize(
    ("account", "segment"),
    [
        ({"domains": ["town.gov"]}, "public"),
        ({"domains": ["x.example", "it.City.example"]}, "public"),
        ({"domains": ["notgov"]}, None),
        ({"domains": ["town.gov"], "tier": "gold", "yearly_value": 200_000}, "public"),
        ({"tier": "gold", "yearly_value": 100_000}, "key"),
        ({"tier": "gold", "yearly_value": 99_999}, None),
        ({"tier": "gold"}, None),
        ({"yearly_value": 10_000}, "small"),
        ({"yearly_value": 0}, "small"),
        ({"yearly_value": 10_001}, None),
        ({"tier": "free"}, "small"),
        ({"tier": "free", "yearly_value": 50_000}, "small"),
        ({}, None),
    ],
)
def test_the_first_segment_of_which_a_rule_holds(account: dict[str, Any], segment: str | None) -> None:
    rules = SegmentRules(Segment.model_validate(one) for one in SEGMENTS)
    assert rules.of_account(Account.model_validate({"id": "a", "name": "A", **account})) == segment


@pytest.mark.parametrize(
    ("domain", "segment"),
    [
        ("town.gov", "public"),
        ("gov", "public"),
        ("it.city.example", "public"),
        ("other.example", None),
        ("", None),
    ],
)
def test_the_segment_of_somebody_without_an_account(domain: str, segment: str | None) -> None:
    assert SegmentRules(Segment.model_validate(one) for one in SEGMENTS).of_domain(domain) == segment


@pytest.mark.parametrize(
    ("email", "title", "persona"),
    [
        ("cora@x.example", "Head of IT", "it"),
        ("cora@x.example", "head of it, EMEA", "it"),
        ("cora@x.example", "Auditor", None),
        ("cora@x.example", "Senior Network Administrator", "it"),
        ("admin@x.example", "", "it"),
        ("Admin@x.example", "", "it"),
        ("it-service@x.example", "", "it"),
        ("it@x.example", "", None),
        ("administration@x.example", "", None),
        ("rechnung@x.example", "", "billing"),
        ("einkauf-nord@x.example", "Buyer", "both"),
        ("einkauf-nord@x.example", "", None),
        ("cora@x.example", "Buyer", None),
        ("no address", "", None),
    ],
)
def test_the_first_persona_of_which_a_rule_holds(email: str, title: str, persona: str | None) -> None:
    assert PersonaRules(Persona.model_validate(one) for one in PERSONAS).of(email, title) == persona


@pytest.mark.parametrize(
    ("model", "value"),
    [
        (SegmentRule, {"domains": ["@x.example"]}),
        (SegmentRule, {"domains": [".gov"]}),
        (SegmentRule, {"yearly_value": {"less": 3}}),
        (PersonaRule, {"local_parts": ["a@b"]}),
        (PersonaRule, {"local_parts": ["*"]}),
        (PersonaRule, {"local_parts": ["a*b"]}),
        (PersonaRule, {"local_parts": ["Admin"]}),
        (PersonaRule, {"titles": [""]}),
    ],
)
def test_a_rule_that_could_not_be_meant_is_refused(model: type[SegmentRule], value: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        model.model_validate(value)


DIRECTORY = directory(
    segments=[*SEGMENTS, {"id": "enterprise", "name": "Enterprise"}],
    personas=PERSONAS,
    accounts=[
        {"id": "said", "name": "S", "domains": ["s.gov"], "segment": "enterprise"},
        {
            "id": "ruled",
            "name": "R",
            "domains": ["r.gov"],
            "contacts": [
                {"email": "cora@r.gov", "name": "Cora", "title": "Head of IT", "persona": "billing"},
                {"email": "dev@r.gov", "name": "Dev", "title": "Head of IT"},
            ],
        },
    ],
)


@pytest.mark.parametrize(
    ("address", "account", "segment", "persona"),
    [
        ("admin@s.gov", "said", "enterprise", "it"),
        ("cora@r.gov", "ruled", "public", "billing"),
        ("dev@r.gov", "ruled", "public", "it"),
        ("Rechnung@R.GOV", "ruled", "public", "billing"),
        ("admin@stranger.example", None, None, "it"),
        ("cora@stranger.gov", None, "public", None),
        ("admin@brightline.example", None, None, None),
        ("pia@brightline.example", None, None, None),
    ],
)
def test_what_is_said_comes_before_any_rule_and_colleagues_have_neither(
    address: str, account: str | None, segment: str | None, persona: str | None
) -> None:
    known = DIRECTORY.who_is("email", address)
    assert (known.account.id if known.account else None) == account
    assert (known.segment, known.persona) == (segment, persona)
