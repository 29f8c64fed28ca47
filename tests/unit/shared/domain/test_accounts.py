"""Accounts changed a few at a time: what is given replaces, what is not stays, all or nothing."""

from __future__ import annotations

from typing import Any

import pytest

from shared.domain.account import Account
from shared.domain.accounts import account_faults, merge_accounts
from shared.domain.workspace import Unsound, faults
from tests.support.company import directory

WORKSPACE = directory().workspace


def by_id(*given: dict[str, Any], remove: tuple[str, ...] = ()) -> dict[str, Account]:
    merged = merge_accounts(WORKSPACE, given, remove)
    assert faults(merged) == ()
    return {account.id: account for account in merged.accounts}


def test_fields_that_are_given_replace_and_the_others_stay() -> None:
    acme = by_id({"id": "acme", "tier": "gold", "yearly_value": 12})["acme"]
    assert (acme.tier, acme.yearly_value) == ("gold", 12)
    assert (acme.name, acme.owner, acme.domains) == ("Acme", "eve", ("acme.example",))


def test_a_new_account_comes_last_and_the_known_keep_their_places() -> None:
    merged = by_id({"id": "new", "name": "New"}, {"id": "orphan", "owner": "ann"})
    assert list(merged) == ["acme", "orphan", "new"]


def test_a_list_replaces_the_list_and_none_the_default() -> None:
    acme = by_id({"id": "acme", "domains": ["acme.example", "acme.test"], "owner": None})["acme"]
    assert acme.domains == ("acme.example", "acme.test")
    assert acme.owner is None


def test_removal_is_explicit() -> None:
    assert list(by_id({"id": "acme"})) == ["acme", "orphan"]
    assert list(by_id(remove=("orphan",))) == ["acme"]


def test_the_domain_of_an_account_that_goes_is_free() -> None:
    given = {"id": "heir", "name": "Heir", "domains": ["orphan.example"]}
    assert list(by_id(given, remove=("orphan",))) == ["acme", "heir"]


@pytest.mark.parametrize(
    ("given", "path", "said"),
    [
        ({"id": "acme", "owner": "evee"}, ("accounts", 0, "owner"), "did you mean 'eve'?"),
        ({"id": "acme", "segment": "moon"}, ("accounts", 0, "segment"), "no segment 'moon'"),
        ({"id": "acme", "yearly_value": "much"}, ("accounts", 0, "yearly_value"), "whole number"),
        ({"id": "acme", "teir": "gold"}, ("accounts", 0, "teir"), "did you mean 'tier'?"),
        ({"id": "Not An Id", "name": "x"}, ("accounts", 0, "id"), "cannot be an id"),
        ({"id": "new"}, ("accounts", 0, "name"), "`name` is missing"),
        ({"name": "x"}, ("accounts", 0, "id"), "`id` is missing"),
        ({"id": "acme", "domains": ["orphan.example"]}, ("accounts", 0, "domains", 0), "declared twice"),
        ({"id": "new", "name": "x", "domains": ["ACME.example"]}, ("accounts", 0, "domains", 0), "twice"),
        (
            {"id": "acme", "contacts": [{"email": "pia@brightline.example", "name": "P"}]},
            ("accounts", 0, "contacts", 0, "email"),
            "declared twice",
        ),
    ],
)
def test_what_is_wrong_is_named_with_the_place_and_nothing_is_changed(
    given: dict[str, Any], path: tuple[str | int, ...], said: str
) -> None:
    with pytest.raises(Unsound) as caught:
        merge_accounts(WORKSPACE, [given])
    (fault,) = caught.value.faults
    assert fault.path == path
    assert said in f"{fault.message}; {fault.remedy}"


def test_one_given_twice_one_unknown_and_one_both_given_and_removed() -> None:
    given = [{"id": "acme"}, {"id": "acme", "tier": "gold"}, {"id": "orphan"}]
    with pytest.raises(Unsound) as caught:
        merge_accounts(WORKSPACE, given, ["orphan", "acmee"])
    found = {fault.path: f"{fault.message}; {fault.remedy}" for fault in caught.value.faults}
    assert set(found) == {("accounts", 1, "id"), ("accounts", 2, "id"), ("remove", 1)}
    assert "did you mean 'acme'?" in found["remove", 1]


def test_every_fault_of_every_account_is_found_at_once() -> None:
    given = [{"id": "acme", "owner": "x-x"}, {"id": "orphan"}, {"id": "n", "name": "N", "segment": "y-y"}]
    assert [fault.path for fault in account_faults(WORKSPACE, given)] == [
        ("accounts", 0, "owner"),
        ("accounts", 2, "segment"),
    ]


def test_of_two_new_ones_with_one_domain_the_later_is_at_fault() -> None:
    given = [{"id": name, "name": name, "domains": ["same.example"]} for name in ("one", "two", "three")]
    assert [fault.path[1] for fault in account_faults(WORKSPACE, given)] == [1, 2]
