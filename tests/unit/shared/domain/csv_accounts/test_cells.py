"""What people and CRMs write into cells."""

from __future__ import annotations

from datetime import date

import pytest

from shared.domain.csv_accounts.cells import day, domains, number, slug, yes_or_no


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("acme.example", ("acme.example",)),
        ("https://www.Acme.example:8080/en?x=1", ("acme.example",)),
        ("acme.example; acme.test, http://b.example", ("acme.example", "acme.test", "b.example")),
        ("info@acme.example acme.example.", ("acme.example",)),
        ("bücher.example", ("bücher.example",)),
        ("", ()),
    ],
)
def test_domains_are_split_and_bare(cell: str, found: tuple[str, ...]) -> None:
    assert domains(cell) == found


@pytest.mark.parametrize(("cell", "said"), [("acme", "is no domain"), ("gmail.com", "would speak for this")])
def test_what_is_no_accounts_domain(cell: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        domains(cell)


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("480000", 480_000),
        ("480.000", 480_000),
        ("480,000", 480_000),
        ("480,000.50", 480_000),
        ("1.234.567,89", 1_234_568),
        ("1 234", 1_234),
        ("1\u00a0234\u202f567", 1_234_567),
        ("1'234 €", 1_234),
        ("€ 1,200", 1_200),
        ("EUR 480.000,00", 480_000),
        ("$1,000,000", 1_000_000),
        ("480k", 480_000),
        ("1,2 Mio. EUR", 1_200_000),
        ("480.000,-", 480_000),
        ("12.5", 12),
        ("0", 0),
        ("-5", -5),
    ],
)
def test_sums_of_money(cell: str, found: int) -> None:
    assert number(cell) == found


@pytest.mark.parametrize("cell", ["abc", "480 per month", "1-2", "1e5", "12 monthly"])
def test_what_is_no_sum(cell: str) -> None:
    with pytest.raises(ValueError, match="is no number"):
        number(cell)


@pytest.mark.parametrize(
    ("cell", "date_format"),
    [
        ("2027-03-31", None),
        ("2027-03-31T00:00:00Z", None),
        ("2027-03-31 00:00", None),
        ("31.03.2027", "DD.MM.YYYY"),
        ("3/31/2027", "MM/DD/YYYY"),
        ("31/03/27", "DD/MM/YY"),
        ("31 Mar 2027", "%d %b %Y"),
    ],
)
def test_dates(cell: str, date_format: str | None) -> None:
    assert day(cell, date_format) == date(2027, 3, 31)


@pytest.mark.parametrize(
    ("cell", "date_format", "said"),
    [
        ("31.03.2027", None, "--date-format DD.MM.YYYY"),
        ("03/04/2027", None, "DD/MM/YYYY, or MM/DD/YYYY"),
        ("soon", None, "--date-format"),
        ("2027-03-31", "DD.MM.YYYY", "is no date like DD.MM.YYYY"),
        ("31.02.2027", "DD.MM.YYYY", "is no date"),
    ],
)
def test_dates_that_are_none_say_which_format_to_give(cell: str, date_format: str | None, said: str) -> None:
    with pytest.raises(ValueError, match="is no date") as caught:
        day(cell, date_format)
    assert said in str(caught.value)


def test_yes_and_no_in_four_languages() -> None:
    assert all(yes_or_no(word) for word in ("Yes", "ja", "OUI", "sí", "1", "TRUE", "x"))
    assert not any(yes_or_no(word) for word in ("no", "Nein", "non", "0", "false"))
    with pytest.raises(ValueError, match="neither yes nor no"):
        yes_or_no("perhaps")


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("Hafenkontor Logistik GmbH & Co. KG", "hafenkontor-logistik-gmbh-co.-kg"),
        ("Müller & Söhne", "mueller-soehne"),
        ("Clínica Robledo", "clinica-robledo"),
        ("0015g00000ABC", "0015g00000abc"),
        ("東京", ""),
    ],
)
def test_ids_made_of_names(name: str, made: str) -> None:
    assert slug(name) == made
