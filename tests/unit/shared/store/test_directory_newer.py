"""What becomes of a workspace that a newer release has written, where this one does not know all of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from bson import json_util

from shared.domain.workspace import Workspace
from shared.store.directory_newer import as_far_as_known

_RECORD = Path(__file__).parents[3] / "contract" / "documents" / "directory.version.json"


@pytest.fixture
def stored() -> dict[str, Any]:
    workspace: dict[str, Any] = json_util.loads(_RECORD.read_text(encoding="utf-8"))["workspace"]
    return workspace


def known(stored: dict[str, Any]) -> tuple[Workspace, tuple[str, ...]]:
    found = as_far_as_known(stored)
    assert found is not None
    return found


def test_of_what_is_known_nothing_is_passed_over(stored: dict[str, Any]) -> None:
    assert known(stored) == (Workspace.model_validate(stored), ())


def test_what_was_stored_stays_as_it_is(stored: dict[str, Any]) -> None:
    stored["moon"] = "full"
    assert known(stored)[1] == ("moon",)
    assert stored["moon"] == "full"


@pytest.mark.parametrize(
    ("part", "unknown"),
    [
        ("verify", {"scheme": "passkey"}),
        ("verify", {"only_from": "192.0.2.0/24"}),
        ("map", None),
    ],
)
def test_a_webhook_that_may_be_checked_too_little_is_closed(
    stored: dict[str, Any], part: str, unknown: dict[str, str] | None
) -> None:
    webhook = stored["webhooks"][0]
    if unknown is None:
        del webhook[part]
    else:
        webhook[part] |= unknown
    workspace, passed = known(stored)
    assert workspace.webhooks == ()
    assert passed == ("webhooks/0",)


@pytest.mark.parametrize("matcher", ['moon="full"', 'polarity~~"keep"'])
def test_a_route_whose_condition_is_unknown_takes_nothing(stored: dict[str, Any], matcher: str) -> None:
    stored["route"]["routes"][0]["match"].append(matcher)
    workspace, passed = known(stored)
    assert [route.receiver for route in workspace.route.routes] == ["hook"]
    assert passed == ("route/routes/0",)


def test_a_rule_with_an_unknown_condition_fits_nobody(stored: dict[str, Any]) -> None:
    stored["segments"][0]["rules"][0]["employees"] = 500
    stored["personas"][0]["rules"].append({"languages": ["de"]})
    stored["cloudevents"][0]["subject"] = "moon"
    workspace, passed = known(stored)
    assert workspace.segments[0].rules == ()
    assert [rule.local_parts for rule in workspace.personas[0].rules] == [("purchasing",)]
    assert workspace.cloudevents == ()
    assert set(passed) == {"segments/0/rules/0", "personas/0/rules/1", "cloudevents/0"}


def test_a_receiver_of_an_unknown_kind_is_left_out_and_somebody_is_told_all_the_same(
    stored: dict[str, Any],
) -> None:
    stored["receivers"].append({"id": "pager", "kind": "pager"})
    stored["route"]["receiver"] = "pager"
    stored["route"]["routes"][1]["receiver"] = "pager"
    workspace, _ = known(stored)
    assert "pager" not in {receiver.id for receiver in workspace.receivers}
    assert (workspace.route.receiver, workspace.route.routes) == ("people", ())


def test_where_no_receiver_is_known_people_are_told_by_mail(stored: dict[str, Any]) -> None:
    stored["receivers"] = [{"id": "pager", "kind": "pager"}]
    stored["route"] = {"receiver": "pager"}
    workspace, _ = known(stored)
    assert workspace.route.receiver == workspace.receivers[0].id == "people"


def test_a_department_of_an_unknown_lens_keeps_its_people(stored: dict[str, Any]) -> None:
    stored["departments"][0]["lens"] = "moon"
    stored["people"][0]["subscriptions"].append({"lens": "moon"})
    workspace, _ = known(stored)
    assert [person.department for person in workspace.people] == ["product"]
    assert [wish.lens for wish in workspace.people[0].subscriptions] == ["design"]


@pytest.mark.parametrize("stored", [{}, {"name": "Small", "products": [{"moon": "full"}]}])
def test_too_little_is_none(stored: dict[str, Any]) -> None:
    assert as_far_as_known(stored) is None
