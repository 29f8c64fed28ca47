"""Every fault is told with the path that leads to it, and what to do."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from shared.domain.workspace import Workspace, faults

Declared = dict[str, Any]

SOUND: Declared = {
    "name": "Brightline",
    "domains": ["brightline.example"],
    "triage_owner": "tess",
    "departments": [{"id": "support", "name": "Support", "lens": "consulting_support"}],
    "people": [
        {"id": "tess", "name": "Tess", "department": "support", "emails": ["tess@brightline.example"]},
        {"id": "pia", "name": "Pia", "department": "support", "slack_ids": ["U0PIA"]},
        {"id": "ann", "name": "Ann", "department": "support"},
    ],
    "products": [
        {
            "id": "portal",
            "name": "Portal",
            "pm": "pia",
            "stages": [
                {
                    "id": "buy",
                    "name": "Buy",
                    "touchpoints": [
                        {"id": "quote", "name": "Quote", "agents": ["ann"]},
                        {"id": "order", "name": "Order", "owner": "tess", "after": ["quote"]},
                    ],
                }
            ],
        }
    ],
    "lenses": [{"id": "design", "keywords": ["layout"]}],
    "segments": [{"id": "smb", "name": "Small"}],
    "personas": [{"id": "buyer", "name": "Buyer"}],
    "accounts": [
        {
            "id": "northwind",
            "name": "Northwind",
            "domains": ["northwind.example"],
            "owner": "pia",
            "segment": "smb",
            "contacts": [{"email": "luc@northwind.example", "name": "Luc", "persona": "buyer"}],
        }
    ],
    "receivers": [
        {"id": "people", "kind": "people"},
        {"id": "hook", "kind": "webhook", "url": "https://hooks.example/x", "secret": "secret:hook"},
    ],
    "route": {"receiver": "people", "routes": [{"match": ['urgency="urgent"'], "receiver": "hook"}]},
}


def touchpoint(declared: Declared, index: int) -> Declared:
    found: Declared = declared["products"][0]["stages"][0]["touchpoints"][index]
    return found


def set_at(*path: str | int, to: object) -> Callable[[Declared], None]:
    def change(declared: Declared) -> None:
        *way, last = path
        place: Any = declared
        for step in way:
            place = place[step]
        place[last] = to

    return change


def add(*path: str | int, item: object) -> Callable[[Declared], None]:
    def change(declared: Declared) -> None:
        place: Any = declared
        for step in path:
            place = place[step]
        place.append(item)

    return change


def test_a_sound_workspace_has_no_faults() -> None:
    assert faults(Workspace.model_validate(SOUND)) == ()


TOUCHPOINT = ("products", 0, "stages", 0, "touchpoints")


@pytest.mark.parametrize(
    ("change", "path", "message"),
    [
        # References that lead nowhere.
        (set_at("triage_owner", to="tes"), ("triage_owner",), "no person 'tes'"),
        (set_at("people", 1, "department", to="suport"), ("people", 1, "department"), "no department"),
        (set_at("products", 0, "pm", to="nobody"), ("products", 0, "pm"), "no person"),
        (set_at(*TOUCHPOINT, 1, "owner", to="nobody"), (*TOUCHPOINT, 1, "owner"), "no person"),
        (set_at(*TOUCHPOINT, 0, "agents", to=["ann", "nobody"]), (*TOUCHPOINT, 0, "agents", 1), "no person"),
        (set_at(*TOUCHPOINT, 1, "after", to=["qoute"]), (*TOUCHPOINT, 1, "after", 0), "no touchpoint"),
        (set_at("accounts", 0, "owner", to="nobody"), ("accounts", 0, "owner"), "no person"),
        (set_at("accounts", 0, "segment", to="big"), ("accounts", 0, "segment"), "no segment"),
        (
            set_at("accounts", 0, "contacts", 0, "persona", to="x"),
            ("accounts", 0, "contacts", 0, "persona"),
            "no persona",
        ),
        (set_at("route", "routes", 0, "receiver", to="hok"), ("route", "routes", 0, "receiver"), "no receiv"),
        # A journey goes on.
        (set_at(*TOUCHPOINT, 1, "after", to=["order"]), (*TOUCHPOINT, 1, "after", 0), "after itself"),
        # Used twice.
        (
            add("departments", item={"id": "support", "name": "Again", "lens": "design"}),
            ("departments", 1, "id"),
            "the department 'support' is declared twice",
        ),
        (add(*TOUCHPOINT, item={"id": "quote", "name": "Again"}), (*TOUCHPOINT, 2, "id"), "touchpoint"),
        (add("segments", item={"id": "smb", "name": "Again"}), ("segments", 1, "id"), "the segment 'smb'"),
        (add("personas", item={"id": "buyer", "name": "Again"}), ("personas", 1, "id"), "the persona"),
        (add("lenses", item={"id": "design"}), ("lenses", 1, "id"), "the lens 'design'"),
        (add("receivers", item={"id": "hook", "kind": "people"}), ("receivers", 2, "id"), "the receiver"),
        (
            set_at("people", 2, "emails", to=["TESS@brightline.example"]),
            ("people", 2, "emails", 0),
            "the address 'tess@brightline.example'",
        ),
        (set_at("people", 2, "slack_ids", to=["U0PIA"]), ("people", 2, "slack_ids", 0), "the address"),
        (
            set_at("accounts", 0, "contacts", 0, "email", to="tess@brightline.example"),
            ("accounts", 0, "contacts", 0, "email"),
            "the address",
        ),
        (
            add("accounts", item={"id": "other", "name": "Other", "domains": ["NorthWind.example"]}),
            ("accounts", 1, "domains", 0),
            "the account domain 'northwind.example'",
        ),
        # Nobody would be told.
        (set_at("people", 0, "emails", to=[]), ("triage_owner",), "'tess' has no address"),
        (set_at("products", 0, "pm", to="ann"), ("products", 0, "pm"), "'ann' has no address"),
        (set_at("route", to={"receiver": None}), ("route",), "needs a `receiver`"),
        (set_at("route", "match", to=['urgency="urgent"']), ("route", "match"), "takes everything"),
        # Receivers and matchers by halves.
        (set_at("receivers", 1, "url", to=None), ("receivers", 1), "needs a `url`"),
        (set_at("receivers", 1, to={"id": "hook", "kind": "email"}), ("receivers", 1), "an `address`"),
        (set_at("receivers", 1, to={"id": "hook", "kind": "slack"}), ("receivers", 1), "an `address`"),
        (
            set_at("route", "routes", 0, "match", to=["urgency"]),
            ("route", "routes", 0, "match", 0),
            "urgency",
        ),
    ],
)
def test_a_fault_and_the_path_to_it(
    change: Callable[[Declared], None], path: tuple[str | int, ...], message: str
) -> None:
    declared = copy.deepcopy(SOUND)
    change(declared)
    (fault,) = faults(Workspace.model_validate(declared))
    assert fault.path == path
    assert message in fault.message


def test_a_near_name_is_suggested() -> None:
    declared = SOUND | {"triage_owner": "tes"}
    (fault,) = faults(Workspace.model_validate(declared))
    assert "tess" in fault.remedy


def test_all_faults_are_told_at_once() -> None:
    declared = copy.deepcopy(SOUND)
    declared["triage_owner"] = "nobody"
    declared["products"][0]["pm"] = "nobody"
    declared["accounts"][0]["segment"] = "nowhere"
    assert len(faults(Workspace.model_validate(declared))) == 3


def test_what_a_touchpoint_comes_after_is_of_the_same_product() -> None:
    declared = copy.deepcopy(SOUND)
    other = copy.deepcopy(declared["products"][0])
    other["id"] = "router"
    other["stages"][0]["touchpoints"] = [{"id": "unbox", "name": "Unbox", "after": ["quote"]}]
    declared["products"].append(other)
    (fault,) = faults(Workspace.model_validate(declared))
    assert fault.path == ("products", 1, "stages", 0, "touchpoints", 0, "after", 0)


@pytest.mark.parametrize(
    "change",
    [
        {"products": []},
        {"name": "  "},
        {"departments": [{"id": "support", "name": "Support", "lens": "astrology"}]},
        {"wish": "more"},
    ],
)
def test_what_is_no_workspace_at_all(change: Declared) -> None:
    with pytest.raises(ValidationError):
        Workspace.model_validate(SOUND | change)


def test_without_a_word_on_routes_people_are_told() -> None:
    declared = {name: value for name, value in SOUND.items() if name not in {"receivers", "route"}}
    workspace = Workspace.model_validate(declared)
    assert faults(workspace) == ()
    assert workspace.route.receiver == "people"
