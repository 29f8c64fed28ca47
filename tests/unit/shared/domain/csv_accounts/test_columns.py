"""The columns of CRMs' exports, by the headers they come with."""

from __future__ import annotations

import pytest

from shared.domain.csv_accounts.columns import FIELDS, find_columns
from shared.errors import InvalidInput

EXPORTS = {
    "Salesforce": (
        ["Account ID", "Account Name", "Website", "Account Owner", "Annual Revenue", "ARR", "Type"],
        {"id": 0, "name": 1, "domains": 2, "owner": 3, "yearly_value": 5},
    ),
    "HubSpot": (
        ["Record ID", "Company name", "Company Domain Name", "Company owner", "Customer Tier"],
        {"id": 0, "name": 1, "domains": 2, "owner": 3, "tier": 4},
    ),
    "Pipedrive": (["Name", "Owner", "Website", "ID"], {"name": 0, "owner": 1, "domains": 2, "id": 3}),
    "a German sheet": (
        ["Kundennummer", "Firma", "Webseite", "Kundenbetreuer", "Jahreswert (EUR)", "Vertragsende", "Stufe"],
        {"id": 0, "name": 1, "domains": 2, "owner": 3, "yearly_value": 4, "renewal": 5, "tier": 6},
    ),
    "a French sheet": (
        ["Numéro client", "Raison sociale", "Site web", "Responsable", "Échéance", "Segment"],
        {"id": 0, "name": 1, "domains": 2, "owner": 3, "renewal": 4, "segment": 5},
    ),
    "a Spanish sheet": (
        ["Razón social", "Dominio", "Gestor", "Valor anual [€]", "Fecha de renovación"],
        {"name": 0, "domains": 1, "owner": 2, "yearly_value": 3, "renewal": 4},
    ),
    "our own": (list(FIELDS), {field: place for place, field in enumerate(FIELDS)}),
}


@pytest.mark.parametrize("system", EXPORTS)
def test_the_columns_of_an_export(system: str) -> None:
    headers, expected = EXPORTS[system]
    assert find_columns(headers, {}) == expected


def test_what_is_said_comes_before_what_is_guessed() -> None:
    headers = ["Company", "Umsatz", "ARR"]
    assert find_columns(headers, {"yearly_value": "umsatz"}) == {"yearly_value": 1, "name": 0}
    assert find_columns(headers, {"yearly_value": ""}) == {"name": 0}


@pytest.mark.parametrize(
    ("headers", "chosen", "said"),
    [
        (["Company", "Website", "Domain"], {}, "--column domains='Domain'"),
        (["Website"], {}, "--column name=HEADER"),
        ([], {}, "there are none"),
        (["Company"], {"value": "x"}, "an account has no 'value'"),
        (["Company"], {"tier": "Compny"}, "did you mean 'Company'?"),
    ],
)
def test_columns_that_cannot_be_told_say_how_to_tell_them(
    headers: list[str], chosen: dict[str, str], said: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        find_columns(headers, chosen)
    assert said in f"{caught.value.detail}; {caught.value.remedy}"
