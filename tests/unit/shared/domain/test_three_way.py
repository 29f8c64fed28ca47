"""Three-way merge: both sides' changes together, and a clash where both changed the same."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.parts import split
from shared.domain.three_way import ABSENT, ORDER, Clash, Take, merge, value_at
from shared.domain.workspace import Workspace, faults
from tests.support.company import COMPANY

Edit = Callable[[dict[str, Any]], None]
CORA = {"email": "cora@acme.example", "name": "Cora"}
DEV = {"email": "dev@acme.example", "name": "Dev"}
BUYING = {"id": "buy", "name": "Buying"}
DUNNING = {"id": "dunning", "name": "Dunning"}

BASE: dict[str, Any] = copy.deepcopy(COMPANY)
BASE["competitors"] = ["Rival", "Other"]
BASE["products"][0]["stages"][0]["touchpoints"][0]["keywords"] = ["quote", "offer"]
BASE["accounts"][0]["contacts"] = [CORA]


def workspace(*edits: Edit) -> Workspace:
    values = copy.deepcopy(BASE)
    for edit in edits:
        edit(values)
    return Workspace.model_validate(values)


def person(name: str, **fields: Any) -> Edit:  # noqa: ANN401 - what YAML holds
    return lambda values: next(p for p in values["people"] if p["id"] == name).update(fields)


def no_person(name: str) -> Edit:
    return lambda values: values["people"].remove(next(p for p in values["people"] if p["id"] == name))


def new_person(name: str, **fields: Any) -> Edit:  # noqa: ANN401
    return lambda values: values["people"].append({"id": name, "name": name, "department": "sales", **fields})


def account(name: str, **fields: Any) -> Edit:  # noqa: ANN401
    return lambda values: next(a for a in values["accounts"] if a["id"] == name).update(fields)


def top(**fields: Any) -> Edit:  # noqa: ANN401
    return lambda values: values.update(fields)


def quote(**fields: Any) -> Edit:  # noqa: ANN401
    return lambda values: values["products"][0]["stages"][0]["touchpoints"][0].update(fields)


def touchpoints(stage: int, change: Callable[[list[Any]], None]) -> Edit:
    return lambda values: change(values["products"][0]["stages"][stage]["touchpoints"])


def no_stage(values: dict[str, Any]) -> None:
    """The first stage goes with all that is in it."""
    del values["products"][0]["stages"][0]


def moved_quote(values: dict[str, Any]) -> None:
    stages = values["products"][0]["stages"]
    stages[1]["touchpoints"].append(stages[0]["touchpoints"].pop(0))


def another(name: str) -> Callable[[list[Any]], None]:
    return lambda entities: entities.append({"id": name, "name": name})


def nothing(_: dict[str, Any]) -> None:
    """As it was."""


#: What the file changed, what was changed meanwhile, and what both together are.
CLEAN: dict[str, tuple[Edit, Edit, tuple[Edit, ...]]] = {
    "other people": (
        person("ann", title="A"),
        person("ben", title="B"),
        (person("ann", title="A"), person("ben", title="B")),
    ),
    "other fields of one": (
        person("ann", title="A"),
        person("ann", languages=["de"]),
        (person("ann", title="A", languages=["de"]),),
    ),
    "the same to the same": (
        person("ann", title="A"),
        person("ann", title="A"),
        (person("ann", title="A"),),
    ),
    "both added one": (new_person("new-f"), new_person("new-c"), (new_person("new-f"), new_person("new-c"))),
    "both added the same": (new_person("new"), new_person("new"), (new_person("new"),)),
    "one goes, another changes": (
        no_person("hal"),
        person("ann", title="A"),
        (no_person("hal"), person("ann", title="A")),
    ),
    "both removed it": (no_person("hal"), no_person("hal"), (no_person("hal"),)),
    "keywords as a set": (
        quote(keywords=["offer", "price"]),
        quote(keywords=["quote", "offer", "devis"]),
        (quote(keywords=["offer", "price", "devis"]),),
    ),
    "agents as a set": (quote(agents=["ann", "dan"]), quote(agents=[]), (quote(agents=["dan"]),)),
    "competitors as a set": (
        top(competitors=["Rival"]),
        top(competitors=["Rival", "Other", "New"]),
        (top(competitors=["Rival", "New"]),),
    ),
    "contacts by their address": (
        account("acme", contacts=[{**CORA, "name": "Cora C."}]),
        account("acme", contacts=[CORA, DEV]),
        (account("acme", contacts=[{**CORA, "name": "Cora C."}, DEV]),),
    ),
    "a touchpoint moved here and changed there": (
        moved_quote,
        quote(description="D"),
        (quote(description="D"), moved_quote),
    ),
    "a touchpoint changed here and moved there": (
        quote(description="D"),
        moved_quote,
        (quote(description="D"), moved_quote),
    ),
    "a touchpoint new on either side": (
        touchpoints(0, another("file")),
        touchpoints(1, another("console")),
        (touchpoints(0, another("file")), touchpoints(1, another("console"))),
    ),
    "a journey in another order, into which something was put meanwhile": (
        touchpoints(1, list.reverse),
        touchpoints(1, lambda found: found.insert(2, DUNNING)),
        (touchpoints(1, list.reverse), touchpoints(1, lambda found: found.insert(2, DUNNING))),
    ),
    "the route, and something else": (
        top(route={"receiver": "people", "routes": [{"match": ["kind=praise"]}]}),
        top(providers=["Carrier"]),
        (
            top(route={"receiver": "people", "routes": [{"match": ["kind=praise"]}]}),
            top(providers=["Carrier"]),
        ),
    ),
}


@pytest.mark.parametrize("name", CLEAN)
def test_both_sides_changes_are_in_the_result(name: str) -> None:
    in_file, meanwhile, both = CLEAN[name]
    merged = merge(workspace(), workspace(in_file), workspace(meanwhile))
    assert merged.clashes == []
    result = Workspace.model_validate(merged.values)
    assert split(result) == split(workspace(*both))
    assert [t.id for t in result.products[0].touchpoints] == [
        t.id for t in workspace(*both).products[0].touchpoints
    ]


def test_all_that_either_side_changed_is_found_in_the_result() -> None:
    merged = merge(
        workspace(),
        workspace(person("ann", title="A"), new_person("new-file"), no_person("hal"), moved_quote),
        workspace(person("ben", title="B"), new_person("new-console"), quote(description="D")),
    )
    parts = split(Workspace.model_validate(merged.values))
    assert merged.clashes == []
    assert parts["people"]["ann"]["title"] == "A"
    assert parts["people"]["ben"]["title"] == "B"
    assert {"new-file", "new-console"} <= set(parts["people"])
    assert "hal" not in parts["people"]
    assert parts["touchpoints"]["quote"]["stage"] == "connect/use"
    assert parts["touchpoints"]["quote"]["description"] == "D"
    assert merged.kept == [
        ("people", "ben", "title"),
        ("people", "new-console"),
        ("touchpoints", "quote", "description"),
    ]


CLASHES: dict[str, tuple[Edit, Edit, Clash]] = {
    "a field": (
        person("ann", title="A"),
        person("ann", title="B"),
        Clash(("people", "ann", "title"), ABSENT, "A", "B"),
    ),
    "the name of the company": (
        top(name="File"),
        top(name="Console"),
        Clash(("workspace", "", "name"), "Brightline", "File", "Console"),
    ),
    "addresses, of which the first is where mail goes": (
        person("ann", emails=["a@x.example"]),
        person("ann", emails=["b@x.example"]),
        Clash(("people", "ann", "emails"), ["ann@brightline.example"], ["a@x.example"], ["b@x.example"]),
    ),
    "added on both sides, and not the same": (
        new_person("new", title="A"),
        new_person("new", title="B"),
        Clash(("people", "new", "title"), ABSENT, "A", "B"),
    ),
    "removed here, changed there": (
        no_person("hal"),
        person("hal", title="B"),
        Clash(
            ("people", "hal"),
            {"id": "hal", "name": "Hal Silent", "department": "support"},
            ABSENT,
            {"id": "hal", "name": "Hal Silent", "department": "support", "title": "B"},
        ),
    ),
    "changed here, removed there": (
        person("hal", title="A"),
        no_person("hal"),
        Clash(
            ("people", "hal"),
            {"id": "hal", "name": "Hal Silent", "department": "support"},
            {"id": "hal", "name": "Hal Silent", "department": "support", "title": "A"},
            ABSENT,
        ),
    ),
    "the name of a contact": (
        account("acme", contacts=[{"email": "cora@acme.example", "name": "C. File"}]),
        account("acme", contacts=[{"email": "cora@acme.example", "name": "C. Console"}]),
        Clash(("accounts", "acme", "contacts", "cora@acme.example", "name"), "Cora", "C. File", "C. Console"),
    ),
    "a stage that goes, in which something new is": (
        no_stage,
        touchpoints(0, another("new")),
        Clash(
            ("stages", "connect/buy"),
            {"id": "buy", "name": "Buying"},
            ABSENT,
            {"id": "buy", "name": "Buying"},
        ),
    ),
    "the order of a journey": (
        touchpoints(1, lambda found: found.reverse()),
        touchpoints(1, lambda found: found.insert(0, found.pop())),
        Clash(
            ("touchpoints", ORDER),
            ["quote", "ordering", "activation", "invoice", "goodbye", "login"],
            ["quote", "ordering", "goodbye", "invoice", "activation", "login"],
            ["quote", "ordering", "goodbye", "activation", "invoice", "login"],
        ),
    ),
}


@pytest.mark.parametrize("name", CLASHES)
def test_what_both_changed_is_a_clash_with_both_values(name: str) -> None:
    in_file, meanwhile, clash = CLASHES[name]
    base, file, current = workspace(), workspace(in_file), workspace(meanwhile)
    assert merge(base, file, current).clashes == [clash]
    for take, side, value in ((Take.FILE, file, clash.file), (Take.CURRENT, current, clash.current)):
        merged = merge(base, file, current, take)
        assert merged.clashes == [clash], "they are told, also where it is said whose word counts"
        result = Workspace.model_validate(merged.values)
        assert value_at(split(result), clash.path) == value
        if clash.path[0] != "stages":
            assert split(result) == split(side), "nothing else was changed"


def test_a_stage_that_stays_because_something_new_is_in_it_stays_where_it_was() -> None:
    file, current = workspace(no_stage), workspace(touchpoints(0, another("new")))
    result = Workspace.model_validate(merge(workspace(), file, current, Take.CURRENT).values)
    first = result.products[0].stages[0]
    assert first.id == "buy"
    assert [touchpoint.id for touchpoint in first.touchpoints] == ["new"], "the others went with the file"


def test_something_new_in_two_places_of_which_one_went_is_one_clash() -> None:
    """One removed the stage and has it in the next; the other, who knows nothing of that, in the stage."""

    def elsewhere(values: dict[str, Any]) -> None:
        no_stage(values)
        touchpoints(0, another("new"))(values)

    base, one, other = workspace(), workspace(elsewhere), workspace(touchpoints(0, another("new")))
    for file, current in ((one, other), (other, one)):
        merged = merge(base, file, current)
        assert [clash.path for clash in merged.clashes] == [("touchpoints", "new", "stage")]
        Workspace.model_validate(merged.values)


def no_product(values: dict[str, Any]) -> None:
    del values["products"][1]


def new_stage(values: dict[str, Any]) -> None:
    values["products"][1]["stages"].append({"id": "new", "name": "New", "touchpoints": [DUNNING]})


def test_a_product_that_goes_in_which_a_stage_is_new_is_one_clash() -> None:
    base, file, current = workspace(), workspace(no_product), workspace(new_stage)
    for take, products in ((Take.FILE, ["connect"]), (Take.CURRENT, ["connect", "portal"])):
        merged = merge(base, file, current, take)
        assert [clash.path for clash in merged.clashes] == [("products", "portal")]
        result = Workspace.model_validate(merged.values)
        assert [product.id for product in result.products] == products


EDITS: list[Edit] = [edit for table in (CLEAN, CLASHES) for sides in table.values() for edit in sides[:2]]
SOME = st.lists(st.sampled_from(EDITS), max_size=4)


def attempt(edits: list[Edit]) -> Workspace:
    """Of the edits those that fit together."""
    values = copy.deepcopy(BASE)
    for edit in edits:
        trial = copy.deepcopy(values)
        try:
            edit(trial)
            sound = not faults(Workspace.model_validate(trial))
        except (StopIteration, IndexError, ValueError):
            continue
        values = trial if sound else values
    return Workspace.model_validate(values)


@given(SOME, SOME)
def test_what_one_side_changed_is_taken_as_it_is(one: list[Edit], other: list[Edit]) -> None:
    base, changed = attempt(one), attempt(other)
    for file, current in ((changed, base), (base, changed), (changed, changed)):
        merged = merge(base, file, current)
        assert merged.clashes == []
        assert Workspace.model_validate(merged.values) == changed


@given(SOME, SOME, SOME)
def test_a_clash_is_one_whichever_side_is_called_the_file(
    before: list[Edit], one: list[Edit], other: list[Edit]
) -> None:
    base, a, b = attempt(before), attempt(one), attempt(other)
    here, there = merge(base, a, b), merge(base, b, a)
    assert {c.path for c in here.clashes} == {c.path for c in there.clashes}
    assert merge(base, a, b) == here
