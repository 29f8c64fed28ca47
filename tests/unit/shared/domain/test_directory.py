from __future__ import annotations

import pytest

from shared.domain.directory import Directory, Known
from shared.domain.workspace import Workspace
from tests.support.company import COMPANY

DIRECTORY = Directory(
    Workspace.model_validate(
        {
            "name": "Brightline",
            "domains": ["brightline.example", "Bright.Line.example"],
            "triage_owner": "tess",
            "departments": [
                {"id": "support", "name": "Support", "lens": "consulting_support"},
                {"id": "sales", "name": "Sales", "lens": "sales_marketing"},
            ],
            "people": [
                {
                    "id": "tess",
                    "name": "Tess",
                    "department": "support",
                    "emails": ["Tess@brightline.example", "tess.old@brightline.example"],
                    "slack_ids": ["U0TESS"],
                },
                {"id": "ben", "name": "Ben", "department": "support", "emails": ["ben@agency.example"]},
            ],
            "products": [
                {
                    "id": "portal",
                    "name": "Portal",
                    "pm": "tess",
                    "stages": [
                        {"id": "buy", "name": "Buy", "touchpoints": [{"id": "quote", "name": "Quote"}]},
                        {
                            "id": "use",
                            "name": "Use",
                            "touchpoints": [
                                {"id": "login", "name": "Login"},
                                {"id": "invoice", "name": "Invoice"},
                            ],
                        },
                    ],
                },
                {
                    "id": "router",
                    "name": "Router",
                    "pm": "ben",
                    "stages": [
                        {"id": "get", "name": "Get", "touchpoints": [{"id": "unbox", "name": "Unbox"}]}
                    ],
                },
            ],
            "accounts": [
                {
                    "id": "northwind",
                    "name": "Northwind",
                    "domains": ["Northwind.example"],
                    "contacts": [
                        {"email": "Luc@northwind.example", "name": "Luc"},
                        {"email": "luc@home.example", "name": "Luc at home"},
                    ],
                },
                {"id": "agency", "name": "Agency", "domains": ["agency.example"]},
            ],
        }
    ),
    version=7,
)


def found(known: Known) -> tuple[str | None, str | None, str | None]:
    return (
        known.person.id if known.person else None,
        known.account.id if known.account else None,
        known.contact.name if known.contact else None,
    )


@pytest.mark.parametrize(
    ("kind", "address", "expected"),
    [
        ("email", "tess@brightline.example", ("tess", None, None)),
        ("email", " TESS.OLD@Brightline.Example ", ("tess", None, None)),
        ("email", "luc@NORTHWIND.example", (None, "northwind", "Luc")),
        ("email", "luc@home.example", (None, "northwind", "Luc at home")),
        ("email", "somebody.else@northwind.example", (None, "northwind", None)),
        # A colleague is one wherever the mailbox is.
        ("email", "ben@agency.example", ("ben", None, None)),
        ("email", "stranger@elsewhere.example", (None, None, None)),
        # A domain is an end of its own, and no address.
        ("email", "luc@not-northwind.example", (None, None, None)),
        ("email", "luc@northwind.example.evil.example", (None, None, None)),
        ("email", "northwind.example", (None, None, None)),
        ("email", "", (None, None, None)),
        ("slack", "U0TESS", ("tess", None, None)),
        ("slack", "u0tess", (None, None, None)),
        ("slack", "tess@brightline.example", (None, None, None)),
    ],
)
def test_whose_address_it_is(
    kind: str, address: str, expected: tuple[str | None, str | None, str | None]
) -> None:
    assert found(DIRECTORY.who_is(kind, address)) == expected


@pytest.mark.parametrize(
    ("email", "own"),
    [
        ("anyone@Brightline.example", True),
        ("anyone@bright.line.example", True),
        ("anyone@sub.brightline.example", False),
        ("anyone@brightline.example.evil.example", False),
        ("anyone", False),
    ],
)
def test_our_own_domains(email: str, own: bool) -> None:  # noqa: FBT001 - a column of the table
    assert DIRECTORY.is_own_domain(email) is own


def test_touchpoints_lead_to_their_product_and_stage() -> None:
    assert DIRECTORY.product_of["invoice"].id == "portal"
    assert DIRECTORY.product_of["unbox"].id == "router"
    assert DIRECTORY.stage_of["login"].id == "use"
    assert list(DIRECTORY.touchpoints) == ["quote", "login", "invoice", "unbox"]


def test_a_journey_ends_with_its_product() -> None:
    assert DIRECTORY.neighbours("login") == ("quote", "invoice")
    assert DIRECTORY.neighbours("invoice") == ("login",)
    assert DIRECTORY.neighbours("unbox") == ()
    assert DIRECTORY.neighbours("unknown") == ()


def test_departments_are_counted_by_their_people() -> None:
    assert DIRECTORY.department_sizes == {"support": 2}
    assert DIRECTORY.department_sizes["sales"] == 0


def test_everything_is_found_by_its_id() -> None:
    assert DIRECTORY.version == 7
    assert DIRECTORY.people["ben"].name == "Ben"
    assert DIRECTORY.departments["sales"].lens == "sales_marketing"
    assert DIRECTORY.products["router"].pm == "ben"
    assert DIRECTORY.accounts["agency"].name == "Agency"
    assert list(DIRECTORY.receivers) == ["people"]


def test_the_company_of_the_other_tests_is_sound() -> None:
    assert Directory(Workspace.model_validate(COMPANY), 1).neighbours("quote")
