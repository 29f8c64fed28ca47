"""`accounts` on a real database: import, list, remove, and how many voices are known."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from shared import clock
from shared.domain.workspace import Workspace
from shared.events.feedback import Affiliation, Change, FeedbackClassified, Mode, Speaker, Weight
from shared.store.connection import Store
from shared.store.directory import DirectoryStore, Origin, Version
from shared.store.feedback import FeedbackStore
from shared.store.migrations import Migrator
from tests.support import company
from tests.support.cli import Cli

CSV = """Account Name;Website;Account Owner;ARR;Renewal Date
Acme;www.acme.example;Eve Account;480.000 EUR;2027-03-31
Brand New;https://brand-new.example;ann@brightline.example;12.500;
"""


@pytest.fixture
def crm(cli: Cli) -> str:
    """A workspace is in force, and this is the CRM's export."""

    async def begin(store: Store) -> None:
        await Migrator(store).start()
        workspace = Workspace.model_validate(company.COMPANY)
        await DirectoryStore(store).propose(workspace, "mara", expected=0, now=clock.now())

    asyncio.run(cli.with_store(begin))
    return cli.write("crm.csv", CSV)


def current(cli: Cli) -> Version:
    async def read(store: Store) -> Version | None:
        return await DirectoryStore(store).current()

    version = asyncio.run(cli.with_store(read))
    assert version is not None
    return version


def test_an_import_shows_what_it_changes_changes_it_and_changes_nothing_again(cli: Cli, crm: str) -> None:
    dry = cli("accounts", "import", crm, "--dry-run")
    assert (dry.code, current(cli).number) == (0, 1)
    assert "+ 1 brand-new" in dry.out
    assert "acme (renewal, yearly_value)" in dry.out
    done = cli("accounts", "import", crm, "--author", "ben")
    assert "Version 2 is in force, from 2 rows" in done.out
    version = current(cli)
    assert (version.author, version.origin) == ("ben", Origin.CSV)
    accounts = {account.id: account for account in version.workspace.accounts}
    assert list(accounts) == ["acme", "orphan", "brand-new"], "nothing is removed"
    assert (accounts["acme"].yearly_value, accounts["acme"].segment) == (480_000, "enterprise")
    assert accounts["brand-new"].owner == "ann"
    again = cli("accounts", "import", crm)
    assert (again.code, "Nothing to change" in again.out) == (0, True)
    assert current(cli).number == 2


def test_one_wrong_row_stops_everything_unless_the_good_ones_are_asked_for(cli: Cli, crm: str) -> None:
    cli.write("crm.csv", CSV + "Wrong;gmail.com;Nobody Known;much;31.03.2027\n")
    done = cli("accounts", "import", crm)
    assert (done.code, current(cli).number) == (2, 1)
    for said in (":4 Website: ", ":4 Account Owner: no owner 'Nobody Known'", ":4 ARR: ", "DD.MM.YYYY"):
        assert said in done.err
    assert "1 of 3 rows are wrong; --partial" in done.out
    told = cli("accounts", "import", crm, "--json")
    assert (told.code, told.json["applied"], len(told.json["faults"])) == (2, False, 4)
    partly = cli("accounts", "import", crm, "--partial")
    assert (partly.code, "1 row left out" in partly.out) == (1, True)
    assert [account.id for account in current(cli).workspace.accounts] == ["acme", "orphan", "brand-new"]


def test_columns_and_dates_can_be_said(cli: Cli, crm: str) -> None:
    # One web address more is one domain more: the CRM does not know the others.
    assert cli("accounts", "import", "-", text="name,website\nAcme,www.acme.test\n").code == 0
    assert current(cli).workspace.accounts[0].domains == ("acme.example", "acme.test")
    text = "Firma;Umsatz;Ende\nAcme;1.000;31.03.2027\n"
    options = ("--column", "yearly_value=Umsatz", "--column", "renewal=Ende", "--date-format", "DD.MM.YYYY")
    assert cli("accounts", "import", "-", *options, text=text).code == 0
    acme = current(cli).workspace.accounts[0]
    assert (acme.yearly_value, str(acme.renewal)) == (1_000, "2027-03-31")
    wrong = cli("accounts", "import", "-", "--column", "umsatz", text=text)
    assert (wrong.code, "FIELD=HEADER" in wrong.err) == (2, True)
    unknown = cli("accounts", "import", "-", text="a;b\n1;2\n")
    assert (unknown.code, "--column name=HEADER" in unknown.err) == (2, True)
    assert cli("accounts", "import", str(cli.home / "none.csv")).code == 2


def test_the_file_keeps_what_a_csv_brought(cli: Cli, crm: str) -> None:
    cli("accounts", "import", crm, "--author", "ben")
    exported = cli("export").out
    assert "    yearly_value: 480000" in exported
    assert "Nothing to change" in cli("apply", "-", "--author", "mara", text=exported).out


def test_the_list_says_which_segment_comes_from_a_rule(cli: Cli, crm: str) -> None:
    def rule(before: Workspace) -> Workspace:
        values = before.model_dump(mode="json", by_alias=True)
        values["segments"].append({"id": "small", "name": "S", "rules": [{"yearly_value": {"max": 20_000}}]})
        return Workspace.model_validate(values)

    async def change(store: Store) -> None:
        await DirectoryStore(store).change(rule, "lea", Origin.CONSOLE, now=clock.now())

    asyncio.run(cli.with_store(change))
    cli("accounts", "import", crm)
    shown = {line.split()[0]: line for line in cli("accounts", "list").out.splitlines()}
    assert "small (rule)" in shown["brand-new"]
    assert "12,500" in shown["brand-new"]
    assert "(rule)" not in shown["acme"]
    told = {account["id"]: account for account in cli("accounts", "list", "--json").json}
    assert (told["brand-new"]["segment"], told["brand-new"]["segment_by_rule"]) == ("small", True)
    assert "contacts" in told["acme"]


def test_removal_is_said_and_unknown_ones_are_named(cli: Cli, crm: str) -> None:
    wrong = cli("accounts", "remove", "orphan", "acmee")
    assert (wrong.code, "did you mean 'acme'?" in wrong.err) == (2, True)
    assert cli("accounts", "remove", "orphan").code == 0
    version = current(cli)
    assert ([a.id for a in version.workspace.accounts], version.origin) == (["acme"], Origin.COMMAND)


def test_before_the_first_workspace_everything_says_what_to_do(cli: Cli) -> None:
    for command in (["import", cli.write("x.csv", CSV)], ["list"], ["remove", "x"], ["coverage"]):
        done = cli("accounts", *command)
        assert (done.code, "listeningpost apply" in done.err) == (1, True)


def piece(number: int, *, known: bool = False, domain: str = "", **fields: Any) -> FeedbackClassified:  # noqa: ANN401
    now = clock.now()
    reply_to = company.mail_reply(address=f"somebody@{domain}") if domain else None
    values: dict[str, Any] = {
        "feedback_id": f"f-{number}",
        "received_at": now,
        "reply_to": reply_to,
        "tags": {"weight": Weight(known=known)},
    }
    return company.piece((), **(values | fields))


def test_coverage_shows_the_share_of_unknown_voices_and_the_domains_that_would_help(
    cli: Cli, crm: str
) -> None:
    assert "There are no pieces" in cli("accounts", "coverage").err
    colleague = Speaker(person_id="pia", affiliation=Affiliation.COLLEAGUE)
    pieces = [
        *(piece(n, known=True, domain="acme.example") for n in range(4)),
        *(piece(10 + n, domain="Often.example") for n in range(3)),
        piece(20, domain="seldom.example"),
        piece(21, domain="gmail.com"),
        piece(22, domain="acme.example"),
        piece(23, reported_by=colleague, domain="brightline.example"),
        piece(30, domain="test.example", mode=Mode.TEST),
        piece(31, domain="deleted.example", change=Change.DELETED),
    ]

    async def keep(store: Store) -> None:
        await FeedbackStore(store).insert_new(pieces)

    asyncio.run(cli.with_store(keep))
    shown = cli("accounts", "coverage")
    assert "64 % of 11 pieces weighed as unknown (7, in the last 90 days)" in shown.out
    assert "1 from colleagues" in shown.out
    assert "1 from addresses at mail providers" in shown.out
    assert shown.out.index("often.example") < shown.out.index("seldom.example")
    for hidden in ("somebody", "@", "test.example", "deleted.example", "acme.example", "brightline"):
        assert hidden not in shown.out
    told = cli("accounts", "coverage", "--json").json
    assert (told["unknown_percent"], told["pieces"], told["unknown"]) == (64, 11, 7)
    assert told["helpful"] == [
        {"domain": "often.example", "pieces": 3},
        {"domain": "seldom.example", "pieces": 1},
    ]
