"""Who is told, and why: one row a rule, a boundary, or a case that went wrong somewhere."""

from __future__ import annotations

import random
from typing import Any

import pytest

from shared.domain.network import Involved, Why, WhyCode, involve
from tests.support.company import directory, piece

C = WhyCode

# (name, what the piece is, {person: whys as "code:detail:detail"} in the order expected)
ROWS: list[tuple[str, dict[str, Any], dict[str, list[str]]]] = [
    # Who is responsible.
    (
        "the owner",
        {"touchpoints": ("activation",)},
        {"oscar": ["owner:activation"], "cleo": ["agent:activation"]},
    ),
    ("no owner: the product's PM", {"touchpoints": ("goodbye",)}, {"pia": ["product_owner:connect"]}),
    ("a product only", {"touchpoints": (), "products": ("portal",)}, {"oscar": ["product_owner:portal"]}),
    ("neither: triage", {"touchpoints": ()}, {"tess": ["triage"]}),
    ("an unknown touchpoint", {"touchpoints": ("gone",)}, {"tess": ["triage"]}),
    (
        "an unknown touchpoint of a known product",
        {"touchpoints": ("gone",), "products": ("connect",)},
        {"pia": ["product_owner:connect"]},
    ),
    ("an unknown product", {"touchpoints": (), "products": ("gone",)}, {"tess": ["triage"]}),
    (
        "two touchpoints of one PM: once",
        {"touchpoints": ("quote", "goodbye")},
        {"pia": ["product_owner:connect"], "ann": ["agent:quote"]},
    ),
    (
        "two owners, the surer one first",
        {"touchpoints": {"login": 0.5, "goodbye": 0.9}},
        {"pia": ["product_owner:connect"], "oscar": ["product_owner:portal"]},
    ),
    (
        "equally sure: by id",
        {"touchpoints": {"login": 0.5, "goodbye": 0.5}},
        {"pia": ["product_owner:connect"], "oscar": ["product_owner:portal"]},
    ),
    (
        "an owner who is the PM of another touchpoint has both reasons",
        {"touchpoints": ("activation", "login")},
        {"oscar": ["owner:activation", "product_owner:portal"], "cleo": ["agent:activation"]},
    ),
    # Their own words.
    (
        "an owner's own words go to the product's PM",
        {"touchpoints": ("activation",), "by": "oscar"},
        {"pia": ["product_owner:connect"], "cleo": ["agent:activation"]},
    ),
    ("a PM's own words go to triage", {"touchpoints": ("goodbye",), "by": "pia"}, {"tess": ["triage"]}),
    ("the triage owner's own words reach nobody else", {"touchpoints": (), "by": "tess"}, {}),
    (
        "the triage owner's own words, product known",
        {"touchpoints": (), "products": ("connect",), "by": "tess", "triage": True},
        {"pia": ["product_owner:connect"]},
    ),
    (
        "one of two owners spoke: the other is told",
        {"touchpoints": ("activation", "goodbye"), "by": "oscar"},
        {"pia": ["product_owner:connect"], "cleo": ["agent:activation"]},
    ),
    (
        "an agent's own words",
        {"touchpoints": ("quote",), "by": "ann"},
        {"pia": ["product_owner:connect"]},
    ),
    (
        "words reported by one colleague for another: neither",
        {"touchpoints": ("ordering",), "by": "ben", "spoken_for": "ann"},
        {"pia": ["product_owner:connect"]},
    ),
    # Agents.
    (
        "neutral: agents of the touchpoint only",
        {"touchpoints": ("ordering",)},
        {"pia": ["product_owner:connect"], "ben": ["agent:ordering"], "ann": ["agent:ordering"]},
    ),
    (
        "keep: no neighbours",
        {"touchpoints": ("ordering",), "polarity": "keep"},
        {"pia": ["product_owner:connect"], "ben": ["agent:ordering"], "ann": ["agent:ordering"]},
    ),
    (
        "change: before and after, across the stages",
        {"touchpoints": ("ordering",), "polarity": "change"},
        {
            "pia": ["product_owner:connect"],
            "ben": ["agent:ordering"],
            "ann": ["agent:ordering", "agent_before:quote:ordering"],
            "cleo": ["agent_after:activation:ordering"],
        },
    ),
    (
        "mixed: neighbours as well",
        {"touchpoints": ("activation",), "polarity": "mixed"},
        {
            "oscar": ["owner:activation"],
            "cleo": ["agent:activation"],
            "ben": ["agent_before:ordering:activation"],
            "ann": ["agent_before:ordering:activation"],
            "dan": ["agent_after:invoice:activation"],
        },
    ),
    (
        "change at the start of the journey: nothing before",
        {"touchpoints": ("quote",), "polarity": "change"},
        {
            "pia": ["product_owner:connect"],
            "ann": ["agent:quote", "agent_after:ordering:quote"],
            "ben": ["agent_after:ordering:quote"],
        },
    ),
    (
        "change at the end: nothing after",
        {"touchpoints": ("goodbye",), "polarity": "change"},
        {"pia": ["product_owner:connect"], "dan": ["agent_before:invoice:goodbye"]},
    ),
    (
        "a journey of one touchpoint",
        {"touchpoints": ("login",), "polarity": "change"},
        {"oscar": ["product_owner:portal"]},
    ),
    (
        "two steps away is not near",
        {"touchpoints": ("invoice",), "polarity": "change"},
        {
            "pia": ["product_owner:connect"],
            "dan": ["agent:invoice"],
            "cleo": ["agent_before:activation:invoice"],
        },
    ),
    (
        "a neighbour the piece is about as well is no neighbour",
        {"touchpoints": {"ordering": 0.9, "activation": 0.8}, "polarity": "change"},
        {
            "pia": ["product_owner:connect"],
            "oscar": ["owner:activation"],
            "ben": ["agent:ordering"],
            "ann": ["agent:ordering", "agent_before:quote:ordering"],
            "cleo": ["agent:activation"],
            "dan": ["agent_after:invoice:activation"],
        },
    ),
    (
        "a neighbour's agent who spoke",
        {"touchpoints": ("goodbye",), "polarity": "change", "by": "dan"},
        {"pia": ["product_owner:connect"]},
    ),
    # Praised by name.
    (
        "keep: who is praised in full",
        {"touchpoints": ("goodbye",), "polarity": "keep", "text": "Thanks to Dan Bill, again."},
        {"pia": ["product_owner:connect"], "dan": ["praised"]},
    ),
    (
        "praised in the title, accents and case aside",
        {"touchpoints": ("goodbye",), "polarity": "keep", "title": "CLEO  ACTIVE rocks"},
        {"pia": ["product_owner:connect"], "cleo": ["praised"]},
    ),
    (
        "praised by honorific and surname",
        {"touchpoints": ("goodbye",), "polarity": "mixed", "text": "Danke, Frau Active!"},
        {"pia": ["product_owner:connect"], "cleo": ["praised"], "dan": ["agent_before:invoice:goodbye"]},
    ),
    (
        "a first name alone names nobody",
        {"touchpoints": ("goodbye",), "polarity": "keep", "text": "Dan and Eve were great"},
        {"pia": ["product_owner:connect"]},
    ),
    (
        "half a name names nobody",
        {"touchpoints": ("goodbye",), "polarity": "keep", "text": "Dan Billing was great"},
        {"pia": ["product_owner:connect"]},
    ),
    (
        "named in a complaint is not praised",
        {"touchpoints": ("quote",), "polarity": "change", "text": "Dan Bill never answers"},
        {
            "pia": ["product_owner:connect"],
            "ann": ["agent:quote", "agent_after:ordering:quote"],
            "ben": ["agent_after:ordering:quote"],
        },
    ),
    (
        "named but neutral",
        {"touchpoints": ("goodbye",), "text": "I spoke with Dan Bill"},
        {"pia": ["product_owner:connect"]},
    ),
    (
        "praise of oneself",
        {"touchpoints": ("goodbye",), "polarity": "keep", "text": "I, Dan Bill, did it", "by": "dan"},
        {"pia": ["product_owner:connect"]},
    ),
    (
        "an agent who is praised has both reasons",
        {"touchpoints": ("invoice",), "polarity": "keep", "text": "Dan Bill explained every line"},
        {"pia": ["product_owner:connect"], "dan": ["praised", "agent:invoice"]},
    ),
    # Somebody may leave.
    (
        "the account's owner, by whom it was spoken for",
        {"touchpoints": ("goodbye",), "reasons": ("may_leave",), "for_account": "acme"},
        {"pia": ["product_owner:connect"], "eve": ["account_owner:acme"]},
    ),
    (
        "the account's owner, by who reported it",
        {"touchpoints": ("goodbye",), "reasons": ("may_leave", "outage"), "by_account": "acme"},
        {"pia": ["product_owner:connect"], "eve": ["account_owner:acme"]},
    ),
    (
        "urgent for another reason",
        {"touchpoints": ("goodbye",), "reasons": ("outage",), "by_account": "acme"},
        {"pia": ["product_owner:connect"]},
    ),
    (
        "an account that nobody looks after",
        {"touchpoints": ("goodbye",), "reasons": ("may_leave",), "by_account": "orphan"},
        {"pia": ["product_owner:connect"]},
    ),
    (
        "an account the directory does not know",
        {"touchpoints": ("goodbye",), "reasons": ("may_leave",), "by_account": "gone"},
        {"pia": ["product_owner:connect"]},
    ),
    (
        "both speakers of one account: one reason",
        {"touchpoints": (), "reasons": ("may_leave",), "by_account": "acme", "for_account": "acme"},
        {"tess": ["triage"], "eve": ["account_owner:acme"]},
    ),
    # Subscribers of a lens.
    (
        "score and weight on their thresholds",
        {"touchpoints": ("goodbye",), "lenses": {"finance_legal": 0.6}, "weight": 1.5},
        {"pia": ["product_owner:connect"], "fay": ["subscriber:finance_legal"]},
    ),
    (
        "score below",
        {"touchpoints": ("goodbye",), "lenses": {"finance_legal": 0.59}, "weight": 9.0},
        {"pia": ["product_owner:connect"]},
    ),
    (
        "weight below",
        {"touchpoints": ("goodbye",), "lenses": {"finance_legal": 1.0}, "weight": 1.49},
        {"pia": ["product_owner:connect"]},
    ),
    (
        "two lenses of one subscriber",
        {"touchpoints": ("goodbye",), "lenses": {"design": 0.4, "development": 0.5}},
        {"pia": ["product_owner:connect"], "gus": ["subscriber:design", "subscriber:development"]},
    ),
    (
        "another lens",
        {"touchpoints": ("goodbye",), "lenses": {"management": 1.0}},
        {"pia": ["product_owner:connect"]},
    ),
    # Triage.
    (
        "triage knows the product",
        {"touchpoints": (), "products": ("connect",), "triage": True},
        {"tess": ["triage"], "pia": ["product_owner:connect"]},
    ),
    ("triage knows nothing", {"touchpoints": (), "triage": True}, {"tess": ["triage"]}),
    (
        "a guess in triage bothers no agent",
        {"touchpoints": ("ordering",), "triage": True, "polarity": "change"},
        {"tess": ["triage"], "pia": ["product_owner:connect"]},
    ),
    (
        "a customer who may leave is told of even in triage",
        {"touchpoints": (), "triage": True, "reasons": ("may_leave",), "by_account": "acme"},
        {"tess": ["triage"], "eve": ["account_owner:acme"]},
    ),
    # All at once.
    (
        "every rule at once, each person once",
        {
            "touchpoints": ("ordering",),
            "polarity": "mixed",
            "text": "Ann Quote saved us, but we are about to cancel",
            "reasons": ("may_leave",),
            "by_account": "acme",
            "lenses": {"finance_legal": 0.9, "design": 0.3},
            "weight": 2.0,
        },
        {
            "pia": ["product_owner:connect"],
            "ann": ["praised", "agent:ordering", "agent_before:quote:ordering"],
            "eve": ["account_owner:acme"],
            "ben": ["agent:ordering"],
            "cleo": ["agent_after:activation:ordering"],
            "fay": ["subscriber:finance_legal"],
            "gus": ["subscriber:design"],
        },
    ),
]


@pytest.mark.parametrize(("values", "expected"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_who_is_told_and_why(values: dict[str, Any], expected: dict[str, list[str]]) -> None:
    told = involve(piece(**values), directory())
    assert {one.person_id: [_short(why) for why in one.whys] for one in told} == expected
    assert [one.person_id for one in told] == list(expected)


def _short(why: Why) -> str:
    details = (why.touchpoint, why.near, why.product, why.lens, why.account)
    return ":".join((why.code.value, *(detail for detail in details if detail)))


def test_branches_of_a_journey_are_all_neighbours() -> None:
    stages = [
        {
            "id": "s",
            "name": "S",
            "touchpoints": [
                {"id": "a", "name": "A", "agents": ["ann"]},
                {"id": "b", "name": "B", "after": ["a"], "agents": ["ben"]},
                {"id": "c", "name": "C", "after": ["a"], "agents": ["cleo"]},
                {"id": "d", "name": "D", "after": ["b", "c"], "agents": ["dan"]},
            ],
        }
    ]
    forked = directory(products=[{"id": "p", "name": "P", "pm": "pia", "stages": stages}])
    told = involve(piece(("a",), polarity="change"), forked)
    assert [(one.person_id, [why.code for why in one.whys]) for one in told] == [
        ("pia", [C.PRODUCT_OWNER]),
        ("ann", [C.AGENT]),
        ("ben", [C.AGENT_AFTER]),
        ("cleo", [C.AGENT_AFTER]),
    ]
    joined = involve(piece(("d",), polarity="change"), forked)
    assert [one.person_id for one in joined] == ["pia", "dan", "ben", "cleo"]


def test_two_people_of_one_name_are_not_told_apart() -> None:
    people = [*directory().workspace.model_dump()["people"]]
    people.append(
        {"id": "dan2", "name": "Dan Bill", "department": "sales", "emails": ["dan2@brightline.example"]}
    )
    told = involve(piece(("goodbye",), polarity="keep", text="Dan Bill!"), directory(people=people))
    assert [one.person_id for one in told] == ["pia"]


def test_the_order_of_tags_does_not_matter() -> None:
    known = directory()
    touchpoints = ["quote", "ordering", "activation", "invoice", "login"]
    expected = involve(piece(tuple(touchpoints), polarity="mixed"), known)
    for seed in range(10):
        random.Random(seed).shuffle(touchpoints)
        assert involve(piece(tuple(touchpoints), polarity="mixed"), known) == expected


def test_nobody_who_left_the_directory_is_told() -> None:
    assert involve(piece((), by="nobody", spoken_for="nobody"), directory()) == (
        Involved("tess", (Why(C.TRIAGE),)),
    )
