"""What is said and applied all the same."""

from __future__ import annotations

import pytest

from shared.domain.advice import advice
from shared.domain.lens import Lens
from shared.domain.workspace import Workspace
from tests.support.company import COMPANY

ALL = [{"id": lens.value, "name": lens.value, "lens": lens.value} for lens in Lens]
PEOPLE: list[dict[str, object]] = [
    {"id": lens.value, "name": "N", "department": lens.value, "emails": []} for lens in Lens
]


def said(**changes: object) -> str:
    return "; ".join(advice(Workspace.model_validate({**COMPANY, "accounts": [], **changes})))


def test_a_company_with_all_departments_and_people_in_them_hears_nothing() -> None:
    assert said(departments=ALL, people=PEOPLE) == ""


def test_lenses_no_department_looks_through() -> None:
    found = said(departments=[d for d in ALL if d["id"] != "design"], people=PEOPLE)
    assert found.startswith("no department looks through design: ")


def test_departments_nobody_is_in() -> None:
    assert said(departments=ALL, people=PEOPLE[1:]).startswith(f"nobody is in {PEOPLE[0]['id']}: ")


@pytest.mark.parametrize(("count", "shown"), [(1, "a0:"), (9, "a7 and 1 more:")])
def test_accounts_nobody_can_speak_for(count: int, shown: str) -> None:
    accounts = [{"id": f"a{number}", "name": "A"} for number in range(count)]
    assert shown in said(departments=ALL, people=PEOPLE, accounts=accounts)
