"""Rows as accounts: which account each is about, and everything that is wrong, with its line and remedy."""

from __future__ import annotations

import csv

import pytest

from shared.domain.accounts import merge_accounts
from shared.domain.csv_accounts.rows import Accounts, Reading, read_rows
from shared.domain.csv_accounts.text import rows
from shared.domain.workspace import faults
from shared.errors import InvalidInput
from tests.support.company import directory

DIRECTORY = directory()


def read(text: str | bytes, **reading: object) -> Accounts:
    content = text.encode() if isinstance(text, str) else text
    return read_rows(rows(content), DIRECTORY, Reading(**reading))  # type: ignore[arg-type]


def test_a_row_with_everything() -> None:
    found = read(
        "Account Name;Website;Owner;Segment;Tier;ARR;Renewal Date;Quotable\n"
        'Acme Ltd;https://www.acme.example;Eve Account;Enterprise;Gold;"1.200,50";2027-03-31;yes\n'
    )
    assert found.faults == []
    (acme,) = found.given
    assert acme == {
        "id": "acme",
        "name": "Acme Ltd",
        "domains": ("acme.example",),
        "owner": "eve",
        "segment": "enterprise",
        "tier": "gold",
        "yearly_value": 1200,
        "renewal": acme["renewal"],
        "quotable": True,
    }
    merged = merge_accounts(DIRECTORY.workspace, found.given)
    assert faults(merged) == ()
    assert read_rows(rows(b"name,website\nAcme Ltd,acme.example\n"), DIRECTORY, Reading()).given


@pytest.mark.parametrize(
    ("row", "account"),
    [
        ("acme,Whatever,", "acme"),
        ("ACME,Whatever,", "acme"),
        ("77,Whatever,orphan.example", "orphan"),
        ("77,Acme,", "77"),
        (",Acme,", "acme"),
        (",Brand New,", "brand-new"),
        ("001XYZ,Brand New,", "001xyz"),
    ],
)
def test_which_account_a_row_is_about(row: str, account: str) -> None:
    (found,) = read(f"id,name,domain\n{row}\n").given
    assert found["id"] == account


def test_an_empty_cell_changes_nothing() -> None:
    (found,) = read("name,owner,tier\nAcme,,\n").given
    assert found == {"id": "acme", "name": "Acme"}


@pytest.mark.parametrize(
    ("row", "column", "said"),
    [
        ("New,x.example,evee,,,", "Owner", "did you mean 'eve'?"),
        ("New,x.example,Somebody Else,,,", "Owner", "declare that person under `people`"),
        ("New,x.example,,moon,,", "Segment", "declare it under `segments`"),
        ("New,no domain,,,,", "Website", "is no domain"),
        ("New,gmail.com,,,,", "Website", "as contacts"),
        ("New,brightline.example,,,,", "Website", "our own domain"),
        ("New,,,,31.12.2027,", "Renewal", "--date-format DD.MM.YYYY"),
        ("New,,,,,much", "ARR", "is no number"),
        ("New,,,,,-5", "ARR", "greater than or equal to 0"),
        (",,,,,7", "Name", "nothing says which account"),
        ("New,,,,,7,more", "", "7 cells, and 6 columns"),
    ],
)
def test_what_is_wrong_is_named_with_line_column_and_remedy(row: str, column: str, said: str) -> None:
    found = read(f"Name,Website,Owner,Segment,Renewal,ARR\nFine,fine.example,,,,\n\n{row}\n")
    (fault,) = found.faults
    assert (fault.line, fault.column) == (4, column)
    assert said in f"{fault.message}; {fault.remedy}"
    assert [account["id"] for account in found.given] == ["fine"]


def test_two_rows_about_one_account_and_a_domain_that_is_anothers() -> None:
    found = read("id,name,domain\nx,X,x.example\nx,X,\ny,Y,x.example\n")
    assert [(fault.line, fault.column) for fault in found.faults] == [(3, "id"), (4, "domain")]
    assert [account["id"] for account in found.given] == ["x"]


def test_a_cell_that_holds_a_page_is_not_repeated_whole() -> None:
    (fault,) = read(f"name,owner\nX,{'y' * 5000}\n").faults
    assert len(fault.message) < 400


@pytest.mark.parametrize(
    "content",
    [
        "name,tier\nCafé,gold\n".encode(),
        "name;tier\r\nCafé;gold\r\n".encode("utf-8-sig"),
        "name\ttier\nCafé\tgold\n".encode("utf-16"),
        "name;tier\nCafé;gold\n".encode("cp1252"),
        "sep=;\nname;tier\nCafé;gold\n".encode(),
        '"name","tier"\n"Café","gold"\n'.encode(),
        "\n\nname|tier\nCafé|gold".encode(),
    ],
)
def test_encodings_and_separators(content: bytes) -> None:
    assert read(content).given == [{"id": "cafe", "name": "Café", "tier": "gold"}]


def test_a_line_break_in_quotes_does_not_shift_the_lines() -> None:
    found = read('name,owner\n"Two\nLines",eve\nX,nobody-known\n')
    assert found.given[0]["name"] == "Two Lines"
    assert [fault.line for fault in found.faults] == [4]


@pytest.mark.parametrize(
    ("content", "said"), [(b"PK\x03\x04\0\0", "not as a workbook"), (b"", "there are none")]
)
def test_what_is_no_csv(content: bytes, said: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read(content)
    assert said in f"{caught.value.detail}; {caught.value.remedy}"


@pytest.mark.parametrize("limit_of_the_process", [131_072, 100_000_000])
def test_a_quote_that_is_not_closed_says_so(limit_of_the_process: int) -> None:
    before = csv.field_size_limit(limit_of_the_process)
    try:
        _not_closed()
    finally:
        csv.field_size_limit(before)


def _not_closed() -> None:
    with pytest.raises(InvalidInput, match="field larger than"):
        read('name\n"' + "x" * 200_000)
