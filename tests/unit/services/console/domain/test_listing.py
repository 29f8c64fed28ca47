"""Pages of accounts: in order, complete, and nothing asked for is passed over."""

from __future__ import annotations

import pytest

from services.console.domain.listing import MOST, Asked, asked, page
from shared.errors import InvalidInput, Reason
from tests.support.company import directory

IDS = ["a", "b", "b-2", "c", "d"]
WORKSPACE = directory(
    accounts=[{"id": name, "name": name, "domains": [f"{name}.Example"]} for name in reversed(IDS)]
).workspace


@pytest.mark.parametrize("limit", range(1, len(IDS) + 2))
def test_pages_together_are_all_of_them_in_order(limit: int) -> None:
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        shown = page(WORKSPACE, Asked(limit, cursor))
        assert len(shown.accounts) <= limit
        found += [account.id for account in shown.accounts]
        cursor = shown.next_cursor
    assert found == IDS


def test_what_goes_between_two_pages_hides_nothing() -> None:
    first = page(WORKSPACE, Asked(2))
    left = WORKSPACE.model_copy(update={"accounts": tuple(a for a in WORKSPACE.accounts if a.id != "b")})
    assert [account.id for account in page(left, Asked(2, first.next_cursor or "")).accounts] == ["b-2", "c"]


def test_a_domain_finds_its_account_whatever_its_case() -> None:
    found = page(WORKSPACE, asked({"domain": "B-2.EXAMPLE"}))
    assert ([account.id for account in found.accounts], found.next_cursor) == (["b-2"], None)
    assert page(WORKSPACE, asked({"domain": ""})).accounts == ()


@pytest.mark.parametrize("limit", ["0", "-1", "x", "", str(MOST + 1), "9" * 5_000, "²"])
def test_a_limit_that_is_none_is_refused(limit: str) -> None:
    with pytest.raises(InvalidInput, match="`limit`") as caught:
        asked({"limit": limit})
    assert caught.value.reason is Reason.MALFORMED


def test_a_parameter_that_is_not_known_is_no_list_of_everybody() -> None:
    with pytest.raises(InvalidInput, match="not known") as caught:
        asked({"domian": "acme.example"})
    assert caught.value.remedy == "Did you mean 'domain'?"
