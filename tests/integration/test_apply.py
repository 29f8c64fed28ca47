"""`apply`, `export`, `history` on a real database: whose change stays, what clashes, and the way back."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable
from importlib import resources
from typing import Any

import pytest

from shared import clock
from shared.domain.accounts import merge_accounts
from shared.domain.workspace import Workspace
from shared.domain.yaml_text import write_workspace
from shared.store.connection import Store
from shared.store.directory import DirectoryStore, Origin, Version
from tests.support.cli import Cli
from tests.support.company import COMPANY

Edit = Callable[[dict[str, Any]], None]


def text(*edits: Edit) -> str:
    """A file by hand: Brightline, with some changes."""
    values = copy.deepcopy(COMPANY)
    for edit in edits:
        edit(values)
    return write_workspace(Workspace.model_validate(values))


def person(name: str, **fields: Any) -> Edit:  # noqa: ANN401 - what YAML holds
    return lambda values: next(p for p in values["people"] if p["id"] == name).update(fields)


def without(kind: str, name: str) -> Edit:
    return lambda values: values[kind].remove(next(e for e in values[kind] if e["id"] == name))


def elsewhere(
    cli: Cli, edit: Callable[[Workspace], Workspace], author: str = "lea", origin: Origin = Origin.CONSOLE
) -> Version:
    """Somebody changes it in the console, or as said."""

    async def change(store: Store) -> Version:
        return await DirectoryStore(store).change(edit, author, origin, now=clock.now())

    return asyncio.run(cli.with_store(change))


def edited(*edits: Edit) -> Callable[[Workspace], Workspace]:
    def edit(before: Workspace) -> Workspace:
        values = before.model_dump(mode="json", by_alias=True)
        for change in edits:
            change(values)
        return Workspace.model_validate(values)

    return edit


def current(cli: Cli) -> Version:
    async def read(store: Store) -> Version | None:
        return await DirectoryStore(store).current()

    version = asyncio.run(cli.with_store(read))
    assert version is not None
    return version


def people(cli: Cli) -> dict[str, Any]:
    return {person.id: person for person in current(cli).workspace.people}


@pytest.fixture
def file(cli: Cli) -> str:
    """Applied by mara as version 1."""
    name = cli.write("company.yaml", text())
    assert cli("apply", name, "--author", "mara").code == 0
    return name


def test_the_first_apply_and_one_over_ones_own(cli: Cli, file: str) -> None:
    assert current(cli).origin is Origin.FILE
    again = cli("apply", file, "--author", "mara")
    assert (again.code, "Nothing to change: version 1 by mara" in again.out) == (0, True)
    cli.write("company.yaml", text(person("ann", title="Quotes"), without("people", "hal")))
    done = cli("apply", file, "--author", "mara")
    assert "Version 2 is in force" in done.out
    assert people(cli)["ann"].title == "Quotes"
    assert "hal" not in people(cli)


def test_back_and_forth_in_a_file_of_ones_own_is_no_conflict(cli: Cli, file: str) -> None:
    for number, title in enumerate(["Quotes", "Offers", "Quotes"], start=2):
        cli.write("company.yaml", text(person("ann", title=title)))
        assert f"Version {number} is" in cli("apply", file, "--author", "mara").out
        assert people(cli)["ann"].title == title


@pytest.mark.parametrize("origin", [Origin.CONSOLE, Origin.API, Origin.CSV])
def test_what_was_changed_elsewhere_stays_where_the_file_did_not_touch_it(
    cli: Cli, file: str, origin: Origin
) -> None:
    elsewhere(
        cli, lambda w: merge_accounts(w, [{"id": "acme", "tier": "gold"}, NEW], ["orphan"]), "lea", origin
    )
    cli.write("company.yaml", text(person("ann", title="Quotes")))
    dry = cli("apply", file, "--author", "mara", "--dry-run", "--json").json
    assert dry["applied"] is False
    assert dry["differences"] == [
        {"what": "people", "added": [], "removed": [], "changed": {"ann": ["title"]}, "reordered": False}
    ]
    done = cli("apply", file, "--author", "mara")
    assert "Version 3 is in force" in done.out
    kept = next(line for line in done.out.splitlines() if line.startswith("kept"))
    assert "accounts acme: tier, accounts orphan, accounts new" in kept
    assert "lea, in version 2" in kept
    accounts = {account.id: account for account in current(cli).workspace.accounts}
    assert list(accounts) == ["acme", "new"]
    assert accounts["acme"].tier == "gold"
    assert people(cli)["ann"].title == "Quotes"
    again = cli("apply", file, "--author", "mara", "--json").json
    assert (again["applied"], again["differences"], len(again["kept"])) == (False, [], 3)


NEW = {"id": "new", "name": "New", "domains": ["new.example"]}


def test_a_field_both_changed_stops_everything_and_names_both(cli: Cli, file: str) -> None:
    elsewhere(cli, edited(person("ann", title="From the console")))
    cli.write("company.yaml", text(person("ann", title="From the file"), person("ben", title="Fine")))
    for arguments in ((), ("--dry-run",)):
        done = cli("apply", file, "--author", "mara", *arguments)
        assert done.code == 1
        assert "people ann: title" in done.out
        for said in ("From the file   mara, ", "From the console   lea, in version 2 (the console), "):
            assert said in done.out
        assert "1 conflict" in done.err
        assert "--take" in done.err
    assert current(cli).number == 2
    assert people(cli)["ben"].title == "", "nothing was changed, not even what is clear"
    told = cli("apply", file, "--author", "mara", "--json")
    assert told.code == 1
    (conflict,) = told.json["conflicts"]
    assert (conflict["path"], conflict["file"], conflict["current"], conflict["before"]) == (
        ["people", "ann", "title"],
        "From the file",
        "From the console",
        None,
    )
    assert (conflict["by"]["author"], conflict["by"]["version"], conflict["by"]["origin"]) == (
        "lea",
        2,
        "console",
    )


@pytest.mark.parametrize(("take", "title"), [("file", "From the file"), ("current", "From the console")])
def test_take_says_whose_word_counts(cli: Cli, file: str, take: str, title: str) -> None:
    elsewhere(cli, edited(person("ann", title="From the console"), person("dan", title="Kept")))
    cli.write("company.yaml", text(person("ann", title="From the file"), person("ben", title="Fine")))
    dry = cli("apply", file, "--author", "mara", "--take", take, "--dry-run")
    assert (dry.code, current(cli).number) == (0, 2)
    assert "people ann: title" in dry.out
    assert cli("apply", file, "--author", "mara", "--take", take).code == 0
    found = people(cli)
    assert (found["ann"].title, found["ben"].title, found["dan"].title) == (title, "Fine", "Kept")
    settled = cli("apply", file, "--author", "mara")
    assert (settled.code, "Nothing to change" in settled.out) == (0, True), "it is asked once"


def test_to_remove_what_somebody_else_changed_is_a_conflict(cli: Cli, file: str) -> None:
    elsewhere(cli, lambda w: merge_accounts(w, [{"id": "orphan", "tier": "gold"}]), "crm", Origin.API)
    cli.write("company.yaml", text(without("accounts", "orphan")))
    done = cli("apply", file, "--author", "mara")
    assert done.code == 1
    assert "accounts orphan" in done.out
    assert "removed   mara" in done.out
    assert "tier: gold   crm, in version 2 (the API)" in done.out
    assert cli("apply", file, "--author", "mara", "--take", "file").code == 0
    assert [account.id for account in current(cli).workspace.accounts] == ["acme"]


def test_what_does_not_fit_together_is_told_and_changes_nothing(cli: Cli, file: str) -> None:
    elsewhere(cli, edited(without("people", "hal")))
    cli.write("company.yaml", text(lambda values: values["accounts"][1].update(owner="hal")))
    done = cli("apply", file, "--author", "mara")
    assert done.code == 1
    assert "accounts orphan owner: no person 'hal' is declared" in done.out
    assert "do not fit together in 1 place" in done.err
    assert current(cli).number == 2


def test_whoever_has_not_applied_here_yet_is_asked_first(cli: Cli, file: str) -> None:
    cli.write("company.yaml", text(person("ann", title="Quotes")))
    asked = cli("apply", file, "--author", "ben")
    assert (asked.code, current(cli).number) == (1, 1)
    assert "ann (title)" in asked.out
    assert "version 1 is by mara" in asked.err
    assert cli("apply", file, "--author", "ben", "--yes").code == 0
    # From now on both have a file here, and each of the two files is compared with what it was made from.
    cli.write("company.yaml", text(person("dan", title="Bills")))
    assert cli("apply", file, "--author", "mara").code == 0
    assert (people(cli)["ann"].title, people(cli)["dan"].title) == ("Quotes", "Bills")
    cli.write("company.yaml", text(person("ann", title="Offers")))
    clash = cli("apply", file, "--author", "mara")
    assert clash.code == 1
    assert "Quotes   ben, in version 2 (a file)" in clash.out


def test_a_file_that_has_caught_up_is_what_the_next_one_is_compared_with(cli: Cli, file: str) -> None:
    elsewhere(cli, edited(person("ann", title="From the console")))
    cli.write("company.yaml", text(person("ann", title="From the console")))
    assert "Nothing to change" in cli("apply", file, "--author", "mara").out
    cli.write("company.yaml", text(person("ann", title="Better")))
    assert cli("apply", file, "--author", "mara").code == 0
    assert people(cli)["ann"].title == "Better"


def test_export_then_apply_changes_nothing_and_gives_the_same_bytes(cli: Cli, file: str) -> None:
    elsewhere(cli, lambda w: merge_accounts(w, [{"id": "acme", "tier": "gold"}, NEW]))
    exported = cli("export").out
    for author in ("mara", "ben"):
        done = cli("apply", "-", "--author", author, text=exported)
        assert (done.code, "Nothing to change: version 2 by lea" in done.out) == (0, True)
        assert "kept" not in done.out
    assert cli("export").out == exported
    assert current(cli).number == 2


def test_what_is_deleted_from_an_export_is_deleted_though_the_console_made_it(cli: Cli, file: str) -> None:
    elsewhere(cli, lambda w: merge_accounts(w, [NEW]))
    exported = cli("export").out
    assert "  - {id: new, name: New, domains: [new.example]}\n" in exported
    shorter = exported.replace("  - {id: new, name: New, domains: [new.example]}\n", "")
    assert cli("apply", "-", "--author", "ben", text=shorter).code == 0
    assert [account.id for account in current(cli).workspace.accounts] == ["acme", "orphan"]


def test_an_export_knows_what_was_changed_since_it_was_made(cli: Cli, file: str) -> None:
    exported = cli("export").out
    elsewhere(cli, edited(person("ann", title="From the console")))
    done = cli("apply", "-", "--author", "ben", text=exported.replace("Dan Bill", "Dan Bills"))
    assert done.code == 0, done.err
    assert (people(cli)["ann"].title, people(cli)["dan"].name) == ("From the console", "Dan Bills")


def test_an_export_of_another_installation_is_not_taken_for_one_of_this(cli: Cli, file: str) -> None:
    exported = cli("export").out
    mark = next(line for line in exported.splitlines() if line.startswith("based_on"))
    strange = exported.replace(mark, "based_on: 1-00000000").replace("Dan Bill", "Dan Bills")
    done = cli("apply", "-", "--author", "ben", text=strange)
    assert (done.code, current(cli).number) == (1, 1)
    assert "no version here is '1-00000000'" in done.err
    assert "--yes" in done.err


def test_an_earlier_version_is_gone_back_to_exactly(cli: Cli, file: str) -> None:
    first = current(cli).workspace
    cli.write("company.yaml", text(person("ann", title="Quotes")))
    cli("apply", file, "--author", "mara")
    elsewhere(cli, lambda w: merge_accounts(w, [{"id": "acme", "tier": "gold"}, NEW], ["orphan"]))
    old = cli("export", "--version", "1").out
    dry = cli("apply", "-", "--author", "mara", "--dry-run", text=old)
    assert "accounts" in dry.out
    assert cli("apply", "-", "--author", "mara", text=old).code == 0
    assert current(cli).workspace == first
    assert current(cli).number == 4
    second = cli("export", "--version", "3").out
    assert cli("apply", "-", "--author", "mara", text=second).code == 0
    assert {account.id for account in current(cli).workspace.accounts} == {"acme", "new"}


def test_history_says_who_how_and_what(cli: Cli, file: str) -> None:
    elsewhere(cli, lambda w: merge_accounts(w, [{"id": "acme", "tier": "gold"}, NEW]), "crm", Origin.CSV)
    shown = cli("history").out.splitlines()
    assert [line.split()[0] for line in shown] == ["version", "2", "1"]
    assert "crm" in shown[1]
    assert "csv" in shown[1]
    assert "accounts +1 ~1" in shown[1]
    told = cli("history", "--json").json
    assert [(row["version"], row["author"], row["origin"]) for row in told] == [
        (2, "crm", "csv"),
        (1, "mara", "file"),
    ]
    assert told[0]["differences"] == [
        {
            "what": "accounts",
            "added": ["new"],
            "removed": [],
            "changed": {"acme": ["tier"]},
            "reordered": False,
        }
    ]
    (last,) = cli("history", "--last", "1", "--json").json
    assert last["differences"] == told[0]["differences"]


def test_a_version_that_lost_a_race_is_no_part_of_history(cli: Cli, file: str) -> None:
    async def lose(store: Store) -> None:
        directory = DirectoryStore(store)
        for name in ("loser", "winner"):
            await store.collection("directory").insert_one(
                {
                    "_id": name,
                    "version": 2,
                    "author": name,
                    "applied_at": clock.now(),
                    "previous": None,
                    "workspace": {"name": name},
                }
            )
        assert [entry.number for entry in await directory.entries()] == [1]

    asyncio.run(cli.with_store(lose))


def test_export_refuses_to_write_over_a_file_and_knows_its_versions(cli: Cli, file: str) -> None:
    assert cli("export", file).code == 2
    assert cli("export", file, "--force").code == 0
    assert cli("export", str(cli.home / "new.yaml")).code == 0
    missing = cli("export", "--version", "9")
    assert (missing.code, "the newest is 1" in missing.err) == (2, True)
    told = cli("export", "--json").json
    assert (told["version"], told["workspace"]["name"]) == (1, "Brightline")


def test_before_the_first_workspace_everything_says_what_to_do(cli: Cli) -> None:
    assert "listeningpost apply" in cli("history").err
    none = cli("export")
    assert (none.code, none.out, "listeningpost apply" in none.err) == (1, "", True)


def test_the_example_round_trips(cli: Cli) -> None:
    shipped = resources.files("deploy").joinpath("config", "workspace.yaml").read_text(encoding="utf-8")
    assert cli("apply", "-", text=shipped).code == 0
    exported = cli("export").out
    assert "Nothing to change" in cli("apply", "-", text=exported).out
    assert cli("export").out == exported
    assert "secret: secret:crm_webhook" in exported


def test_what_is_seldom_meant_is_said_and_applied_all_the_same(cli: Cli) -> None:
    def odd(values: dict[str, Any]) -> None:
        values["departments"].append({"id": "legal", "name": "Legal", "lens": "finance_legal"})
        values["receivers"] = [
            {"id": "people", "kind": "people"},
            {"id": "crm", "kind": "webhook", "url": "https://crm.example/in", "secret": "secret:crm"},
        ]

    done = cli("apply", "-", text=text(odd))
    assert done.code == 0
    assert "no department looks through data science" in done.err
    assert "nobody is in legal" in done.err
    assert "LISTENINGPOST_SECRETS__CRM" in done.err
    told = cli("apply", "-", "--json", text=text(odd), env={"LISTENINGPOST_SECRETS__CRM": "whsec_verysecret"})
    assert len(told.json["warnings"]) == 2
    assert "verysecret" not in told.out + told.err + cli("export").out
