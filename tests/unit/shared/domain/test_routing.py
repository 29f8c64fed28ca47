"""Matchers, labels, and the walk through the tree of routes."""

from __future__ import annotations

import time
from typing import Any

import pytest

from shared.domain.matchers import Labels, parse_matcher
from shared.domain.route import Route
from shared.domain.routing import compile_routes, labels, route
from shared.domain.workspace import Workspace, faults
from shared.errors import InvalidInput
from tests.support.company import COMPANY, directory, piece

MATCHES: list[tuple[str, dict[str, tuple[str, ...]], bool]] = [
    ('channel="slack"', {"channel": ("slack",)}, True),
    ('channel="slack"', {"channel": ("mail",)}, False),
    ("channel=slack", {"channel": ("slack",)}, True),
    (' channel = "slack" ', {"channel": ("slack",)}, True),
    ('channel=""', {"channel": ()}, True),
    ("channel=", {}, True),
    ('account!=""', {"account": ("acme",)}, True),
    ('account!=""', {}, False),
    ('channel!="slack"', {"channel": ("mail",)}, True),
    ('channel!="slack"', {}, True),
    ('channel!="slack"', {"channel": ("slack",)}, False),
    # Several values: a positive one needs one of them, a negative one none.
    ('touchpoint="invoice"', {"touchpoint": ("ordering", "invoice")}, True),
    ('touchpoint="invoice"', {"touchpoint": ("ordering", "quote")}, False),
    ('touchpoint!="invoice"', {"touchpoint": ("ordering", "invoice")}, False),
    ('touchpoint!="invoice"', {"touchpoint": ("ordering", "quote")}, True),
    ('touchpoint=~"inv.*"', {"touchpoint": ("ordering", "invoice")}, True),
    ('touchpoint!~"inv.*"', {"touchpoint": ("ordering", "invoice")}, False),
    ('touchpoint!~"inv.*"', {"touchpoint": ("ordering",)}, True),
    # Regular expressions fit the whole value.
    ('touchpoint=~"inv"', {"touchpoint": ("invoice",)}, False),
    ('touchpoint=~"voice"', {"touchpoint": ("invoice",)}, False),
    ('touchpoint=~"invoice|order"', {"touchpoint": ("ordering",)}, False),
    ('touchpoint=~"invoice|ordering"', {"touchpoint": ("ordering",)}, True),
    ('touchpoint=~"(invoice|order)-[0-9]+"', {"touchpoint": ("order-12",)}, True),
    (r'touchpoint=~"order-\d+"', {"touchpoint": ("order-12",)}, True),
    (r'touchpoint=~"a\.b"', {"touchpoint": ("axb",)}, False),
    ('touchpoint=~".+"', {}, False),
    ('touchpoint=~".*"', {}, True),
    ('touchpoint!~".+"', {}, True),
    ('segment=~"(?i:ENTER.*)"', {"segment": ("enterprise",)}, True),
    (r'segment="say \"hi\""', {"segment": ('say "hi"',)}, True),
]


@pytest.mark.parametrize(("text", "values", "expected"), MATCHES)
def test_a_matcher(text: str, values: Labels, *, expected: bool) -> None:
    assert parse_matcher(text).holds(values) is expected


FAULTY = [
    ("", "label="),
    ("channel", "label="),
    ('channel=="slack"', "label="),
    ("channel='slack'", "label="),
    ('channel="slack', "label="),
    ('channel="slack" x', "label="),
    ('Channel="slack"', "label="),
    ('chanel="slack"', "no label 'chanel'"),
    ('channel=~"("', "not a regular expression"),
    ('channel=~"[z-a]"', "not a regular expression"),
    ('channel=~"(a+)+"', "repeated group"),
    ('channel=~"(a|a)*b"', "repeated group"),
    ('channel=~"(ab){2,}"', "repeated group"),
    ('channel=~"(?=a).*"', "look-arounds"),
    (r'channel=~"(a)\1"', "back-references"),
    ('channel=~"a*a*a*a*b"', "3 repetitions"),
    ('channel=~"' + "a?" * 9 + '"', "8 question marks"),
    ('channel=~"' + "(a|a)" * 5 + '"', "4 groups"),
    ('channel=~"' + "a" * 201 + '"', "200 characters"),
]


@pytest.mark.parametrize(("text", "hint"), FAULTY)
def test_an_unusable_matcher_is_named_with_its_fault(text: str, hint: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        parse_matcher(text)
    assert hint in raised.value.detail
    assert repr(text[:200]) in raised.value.detail


@pytest.mark.parametrize(
    "pattern",
    ["a*a*a*b", "a?a?a?a?a?a?a?a?" + "a" * 60 + "b", "(a|aa)(a|aa)(a|aa)(a|aa).*.*.*b", "[^b]*.*.*c"],
)
def test_the_worst_that_is_allowed_ends_soon(pattern: str) -> None:
    matcher = parse_matcher(f'account=~"{pattern}"')
    started = time.process_time()
    assert not matcher.holds({"account": ("a" * 5000,)})
    assert time.process_time() - started < 5


TREE: dict[str, Any] = {
    "receiver": "people",
    "routes": [
        {
            "match": ['urgency="urgent"'],
            "receiver": "war-room",
            "continue": True,
            "routes": [{"match": ['account="acme"'], "receiver": "acme-room"}],
        },
        {
            "match": ['touchpoint=~"invoice|quote"'],
            "routes": [
                {"match": ['lens="finance_legal"'], "receiver": "finance-hook"},
                {"match": ['polarity="keep"'], "receiver": "wall", "continue": True},
                {"match": ['kind="praise"'], "receiver": "praise"},
            ],
        },
        {"match": ['channel="slack"', 'language!="en"'], "receiver": "translators"},
    ],
}

WALKS: list[tuple[dict[str, tuple[str, ...]], tuple[str, ...]]] = [
    ({}, ("people",)),
    ({"urgency": ("urgent",)}, ("war-room",)),
    ({"urgency": ("urgent",), "account": ("acme",)}, ("acme-room",)),
    ({"urgency": ("urgent",), "touchpoint": ("invoice",)}, ("war-room", "people")),
    ({"touchpoint": ("invoice",)}, ("people",)),
    ({"touchpoint": ("invoice",), "lens": ("design", "finance_legal")}, ("finance-hook",)),
    ({"touchpoint": ("quote",), "polarity": ("keep",)}, ("wall",)),
    ({"touchpoint": ("quote",), "polarity": ("keep",), "kind": ("praise",)}, ("wall", "praise")),
    ({"touchpoint": ("quote",), "lens": ("finance_legal",), "kind": ("praise",)}, ("finance-hook",)),
    ({"touchpoint": ("invoice",), "channel": ("slack",), "language": ("de",)}, ("people",)),
    ({"channel": ("slack",), "language": ("de",)}, ("translators",)),
    ({"channel": ("slack",), "language": ("en",)}, ("people",)),
    (
        {"urgency": ("urgent",), "account": ("acme",), "channel": ("slack",), "language": ("fr",)},
        ("acme-room", "translators"),
    ),
]


@pytest.mark.parametrize(("values", "expected"), WALKS)
def test_the_walk(values: Labels, expected: tuple[str, ...]) -> None:
    assert route(values, compile_routes(Route.model_validate(TREE))) == expected


def test_two_ways_to_one_receiver_are_one() -> None:
    tree = {
        "receiver": "people",
        "routes": [
            {"match": ["kind=idea"], "continue": True},
            {"match": ["channel=api"], "receiver": "people"},
        ],
    }
    walked = route({"kind": ("idea",), "channel": ("api",)}, compile_routes(Route.model_validate(tree)))
    assert walked == ("people",)


def test_labels_of_a_piece() -> None:
    found = labels(
        piece(
            {"ordering": 0.6, "activation": 0.9, "gone": 1.0},
            polarity="change",
            lenses={"design": 0.5, "finance_legal": 0.7},
            reasons=("may_leave",),
            by_account="acme",
            for_account="orphan",
            confidential=True,
            tags={"language": "de"},
        ),
        directory(),
    )
    assert dict(found) == {
        "product": ("connect",),
        "touchpoint": ("activation", "ordering"),
        "stage": ("use", "buy"),
        "lens": ("design", "finance_legal"),
        "department": ("finance",),
        "polarity": ("change",),
        "kind": ("other",),
        "about": ("us",),
        "urgency": ("urgent",),
        "channel": ("api",),
        "mode": ("live",),
        "segment": (),
        "account": ("acme", "orphan"),
        "language": ("de",),
        "needs_triage": ("false",),
        "confidential": ("true",),
    }


def test_a_department_is_reached_by_the_lens_it_looks_through() -> None:
    departments = [
        *COMPANY["departments"],
        {"id": "purchasing", "name": "Purchasing", "lens": "finance_legal"},
    ]
    tree = {
        "receiver": "people",
        "routes": [{"match": ["department=purchasing"], "receiver": "purchasing-room"}],
    }
    company = directory(departments=departments)
    found = labels(piece(lenses={"finance_legal": 0.7}), company)
    assert found["department"] == ("finance", "purchasing")
    assert labels(piece(lenses={"design": 0.7}), company)["department"] == ()
    assert route(found, compile_routes(Route.model_validate(tree))) == ("purchasing-room",)


def test_every_label_is_documented_and_made() -> None:
    for name in labels(piece(), directory()):
        assert parse_matcher(f"{name}!=x").label == name


def test_a_workspace_with_faulty_matchers_says_where() -> None:
    tree = {
        "receiver": "people",
        "match": ["kind=idea"],
        "routes": [{"routes": [{"match": ["kind=idea", "kind"]}]}],
    }
    found = faults(Workspace.model_validate({**COMPANY, "route": tree}))
    assert [fault.path for fault in found] == [
        ("route", "match"),
        ("route", "routes", 0, "routes", 0, "match", 1),
    ]
    assert "'kind'" in found[1].message
