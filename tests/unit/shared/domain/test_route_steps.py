"""The walk told node by node ends where the walk itself ends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.route import Route
from shared.domain.route_steps import Fate, Step, steps, takers
from shared.domain.routing import compile_routes, route

LABELS = {"urgency": ("urgent",), "channel": ("mail",), "touchpoint": ("bill", "payment")}
_MATCHERS = ('urgency="urgent"', 'urgency="normal"', 'touchpoint=~"b.*"', 'touchpoint!="bill"', 'account=""')


def tree(**fields: object) -> Route:
    return Route.model_validate({"receiver": "root", **fields})


def fates(step: Step) -> list[tuple[str, Fate]]:
    return [(step.receiver, step.fate), *(pair for lower in step.below for pair in fates(lower))]


def test_each_node_says_what_became_of_it() -> None:
    root = tree(
        routes=[
            {"match": ['urgency="normal"'], "receiver": "no", "routes": [{"receiver": "below-no"}]},
            {
                "match": ['urgency="urgent"', 'touchpoint="bill"'],
                "receiver": "yes",
                "continue": True,
                "routes": [{"match": ['channel="rest"'], "receiver": "rest"}, {"receiver": "other"}],
            },
            {"receiver": "last"},
            {"receiver": "late"},
        ]
    )
    assert fates(steps(LABELS, root)) == [
        ("root", Fate.PASSED),
        ("no", Fate.HELD_NOT),
        ("below-no", Fate.NOT_ASKED),
        ("yes", Fate.PASSED),
        ("rest", Fate.HELD_NOT),
        ("other", Fate.TOOK),
        ("last", Fate.TOOK),
        ("late", Fate.NOT_ASKED),
    ]


def test_each_matcher_says_whether_it_holds() -> None:
    root = tree(routes=[{"match": ['urgency="urgent"', 'channel="rest"']}])
    (child,) = steps(LABELS, root).below
    assert child.matchers == (('urgency="urgent"', True), ('channel="rest"', False))
    assert child.receiver == "root"


@pytest.mark.parametrize("matcher", _MATCHERS)
def test_the_root_takes_what_nothing_below_it_takes(matcher: str) -> None:
    step = steps({}, tree(routes=[{"match": ['urgency="urgent"', matcher], "receiver": "child"}]))
    assert step.fate is Fate.TOOK


_routes = st.recursive(
    st.fixed_dictionaries(
        {
            "match": st.lists(st.sampled_from(_MATCHERS), max_size=2),
            "receiver": st.sampled_from(["a", "b", "c", None]),
            "continue": st.booleans(),
        }
    ),
    lambda inner: st.fixed_dictionaries(
        {
            "match": st.lists(st.sampled_from(_MATCHERS), max_size=2),
            "receiver": st.sampled_from(["a", "b", "c", None]),
            "continue": st.booleans(),
            "routes": st.lists(inner, max_size=3),
        }
    ),
    max_leaves=8,
)


@given(st.lists(_routes, max_size=3))
def test_it_ends_with_the_receivers_that_routing_finds(routes: list[dict[str, object]]) -> None:
    root = tree(routes=routes)
    found = tuple(dict.fromkeys(takers(steps(LABELS, root))))
    assert found == route(LABELS, compile_routes(root))
