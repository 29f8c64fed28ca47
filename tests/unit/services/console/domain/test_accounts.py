"""What a request makes of the workspace: replace, change, remove, and everything that is wrong at once."""

from __future__ import annotations

from typing import Any

import pytest

from services.console.domain.accounts import find, known, patch, put, remove, shown
from shared.domain.workspace import Workspace, faults
from shared.errors import InvalidInput, Reason
from shared.http.document import InvalidDocument
from tests.support.company import directory

WORKSPACE = directory().workspace
Found = dict[str, tuple[Reason, str]]


def account(workspace: Workspace, account_id: str = "acme") -> dict[str, Any]:
    assert faults(workspace) == ()
    return shown(known(workspace, account_id))


def refused(error: InvalidInput) -> Found:
    found = error.faults if isinstance(error, InvalidDocument) else (error,)
    assert all(fault.remedy for fault in found), "each says what to do"
    return {fault.field: (fault.reason, fault.remedy) for fault in found}


def test_what_is_put_is_all_there_is_and_the_account_keeps_its_place() -> None:
    after = put(WORKSPACE, "acme", {"name": "Acme Ltd", "tier": "gold"})
    assert account(after) == {
        "id": "acme",
        "name": "Acme Ltd",
        "domains": [],
        "owner": None,
        "segment": None,
        "tier": "gold",
        "yearly_value": None,
        "renewal": None,
        "quotable": False,
        "contacts": [],
    }
    assert [each.id for each in after.accounts] == ["acme", "orphan"]
    assert after.model_copy(update={"accounts": ()}) == WORKSPACE.model_copy(update={"accounts": ()})


def test_what_was_got_can_be_put_back_and_changes_nothing() -> None:
    assert put(WORKSPACE, "acme", account(WORKSPACE)) == WORKSPACE


def test_a_new_one_comes_last_with_everything_it_was_given() -> None:
    given = {
        "name": "New",
        "domains": ["New.example"],
        "owner": "eve",
        "segment": "enterprise",
        "yearly_value": 480_000,
        "renewal": "2027-03-31",
        "quotable": True,
        "contacts": [{"email": "cora@gmail.com", "name": "Cora", "title": "CFO", "persona": None}],
    }
    after = put(WORKSPACE, "new", given)
    assert after.accounts[-1].id == "new"
    assert account(after, "new") == {"id": "new", "tier": "standard", **given}


@pytest.mark.parametrize(
    ("sent", "changed"),
    [
        ({}, {}),
        ({"tier": "gold"}, {"tier": "gold"}),
        ({"owner": None}, {"owner": None}),
        ({"tier": None}, {"tier": "standard"}),
        ({"domains": ["acme.test"]}, {"domains": ["acme.test"]}),
        ({"domains": None}, {"domains": []}),
        ({"id": "acme", "name": "A"}, {"name": "A"}),
    ],
    ids=str,
)
def test_a_patch_changes_what_it_names(sent: dict[str, Any], changed: dict[str, Any]) -> None:
    assert account(patch(WORKSPACE, "acme", sent)) == {**account(WORKSPACE), **changed}


_TYPE, _NO, _UNSOUND = Reason.WRONG_TYPE, Reason.UNKNOWN_FIELD, Reason.UNSOUND


@pytest.mark.parametrize(
    ("sent", "found"),
    [
        ([], {"": (_TYPE, "Send a JSON object.")}),
        ({"yearly_value": "12"}, {"yearly_value": (_TYPE, "Send a whole number.")}),
        ({"yearly_value": -1}, {"yearly_value": (_TYPE, "Send 0 or more.")}),
        ({"yearly_value": 10**30}, {"yearly_value": (_TYPE, f"Send {2**63 - 1} or less.")}),
        ({"renewal": 5}, {"renewal": (_TYPE, "Send a string like 2026-05-04.")}),
        ({"renewal": "2027-02-30"}, {"renewal": (Reason.BAD_DATE, "Send a date like 2026-05-04.")}),
        ({"quotable": "yes"}, {"quotable": (_TYPE, "Send true or false.")}),
        ({"ownr": None}, {"ownr": (_NO, "Did you mean `owner`?")}),
        ({"name": None}, {"name": (Reason.MISSING_FIELD, "Send it.")}),
        ({"name": " "}, {"name": (Reason.EMPTY, "Fill it in, or leave the field out.")}),
        (
            {"owner": "Eve Account"},
            {"owner": (_TYPE, "Send an id of a-z, 0-9, dots and dashes, with at most 64 characters.")},
        ),
        (
            {"contacts": [{"email": "cora", "name": "Cora"}]},
            {"contacts/0/email": (_TYPE, "Send an address like ada@customer.example.")},
        ),
        ({"owner": "evee"}, {"owner": (_UNSOUND, "Did you mean 'eve'?")}),
        ({"segment": "x"}, {"segment": (_UNSOUND, "Declare it under `segments`.")}),
        ({"domains": ["orphan.example"]}, {"domains/0": (_UNSOUND, "Give each its own.")}),
        ({"domains": ["a.test", "A.TEST"]}, {"domains/1": (_UNSOUND, "Give each its own.")}),
        ({"domains": ["https://acme.test/"]}, {"domains/0": (_UNSOUND, "Send company.example.")}),
        ({"domains": ["brightline.example"]}, {"domains/0": (_UNSOUND, "Leave it out.")}),
        (
            {"domains": ["acme.test", "GMail.com"]},
            {"domains/1": (_UNSOUND, "Leave it out, and name the people as contacts.")},
        ),
        (
            {"contacts": [{"email": "PIA@brightline.example", "name": "Pia"}]},
            {"contacts/0/email": (_UNSOUND, "Give each its own.")},
        ),
        (
            {"id": "other"},
            {"id": (_UNSOUND, "Leave it out, or send it as it is in the address: an id is for ever.")},
        ),
    ],
    ids=str,
)
def test_what_cannot_be_taken_is_named_with_its_field_and_what_to_do(sent: object, found: Found) -> None:
    with pytest.raises(InvalidInput) as caught:
        patch(WORKSPACE, "acme", sent)
    assert refused(caught.value) == found


def test_several_faults_are_said_at_once() -> None:
    with pytest.raises(InvalidDocument) as caught:
        put(WORKSPACE, "acme", {"name": "A", "owner": "x", "segment": "y"})
    assert set(refused(caught.value)) == {"owner", "segment"}


@pytest.mark.parametrize("account_id", ["Acme", "a/b", "x" * 65, "-a"])
def test_an_id_that_can_be_none_is_refused(account_id: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        put(WORKSPACE, account_id, {"name": "A"})
    assert set(refused(caught.value)) == {"id"}


def test_a_domain_that_came_in_by_the_file_does_not_keep_the_account_from_being_changed() -> None:
    accounts = [{"id": "acme", "name": "Acme", "domains": ["gmail.com", "acme.example"]}]
    after = patch(directory(accounts=accounts).workspace, "acme", {"tier": "gold"})
    assert account(after)["domains"] == ["gmail.com", "acme.example"]


def test_removal_leaves_the_others_and_an_unknown_one_is_said_with_the_nearest() -> None:
    assert [each.id for each in remove(WORKSPACE, "acme").accounts] == ["orphan"]
    assert find(remove(WORKSPACE, "acme"), "acme") is None
    for change in (remove, lambda before, name: patch(before, name, {})):
        with pytest.raises(InvalidInput, match="no account") as caught:
            change(WORKSPACE, "acmee")
        assert refused(caught.value) == {"": (Reason.NOT_FOUND, "Did you mean 'acme'?")}
