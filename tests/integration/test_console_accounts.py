"""`/v1/accounts` on sockets and a real database: what is changed is in force, everywhere, and never lost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import httpx
import pytest
import pytest_asyncio
import yaml

from services.console.app import create_app
from services.console.settings import ConsoleSettings
from shared import clock
from shared.domain.api_key import Scope
from shared.domain.workspace import Workspace
from shared.settings import MongoSettings
from shared.store.api_keys import ApiKeyStore
from shared.store.connection import Store
from shared.store.directory import DirectoryFollower, DirectoryStore, Origin, Version
from tests.support.cli import Cli
from tests.support.company import COMPANY
from tests.support.console import ask, problem
from tests.support.served import served
from tests.support.wait import until

LIVE_WITHIN_S = 2.0
REVOKED_WITHIN_S = 5.0


@dataclass
class House:
    """`consoles` are replicas of one service on one database."""

    store: Store
    token: str
    key_id: str
    consoles: list[httpx.AsyncClient] = field(default_factory=list)

    async def ask(
        self, method: str, path: str = "", body: object = None, *, at: int = 0, **headers: str
    ) -> httpx.Response:
        return await ask(self.consoles[at], method, path, body, token=self.token, **headers)

    async def current(self) -> Version:
        version = await DirectoryStore(self.store).current()
        assert version is not None
        return version


@asynccontextmanager
async def opened(mongo: MongoSettings, store: Store, replicas: int) -> AsyncIterator[House]:
    workspace = Workspace.model_validate(COMPANY)
    await DirectoryStore(store).propose(workspace, "mara", expected=0, now=clock.now())
    scopes = [Scope.ACCOUNTS_READ, Scope.ACCOUNTS_WRITE]
    key, token = await ApiKeyStore(store).create("crm", scopes, now=clock.now())
    house = House(store, token, key.id)
    async with AsyncExitStack() as stack:
        for _ in range(replicas):
            service = create_app(ConsoleSettings.model_validate({"mongo": mongo}))
            url = await stack.enter_async_context(served(service))
            http = httpx.AsyncClient(base_url=url, timeout=30)
            house.consoles.append(await stack.enter_async_context(http))
        yield house


@pytest_asyncio.fixture
async def house(mongo: MongoSettings, store: Store) -> AsyncIterator[House]:
    async with opened(mongo, store, replicas=1) as running:
        yield running


async def test_what_is_put_is_a_version_of_the_directory_and_live_within_two_seconds(house: House) -> None:
    followed = DirectoryFollower(house.store)
    await followed.start()
    try:
        assert followed.directory.who_is("email", "cora@new.example").account is None
        began = time.monotonic()
        made = await house.ask("PUT", "/new", {"name": "New", "domains": ["new.example"], "owner": "eve"})
        assert (made.status_code, made.headers["etag"]) == (201, '"2"')
        await until(lambda: followed.directory.version == 2, within_s=LIVE_WITHIN_S, what="a service has it")
        assert time.monotonic() - began < LIVE_WITHIN_S
        known = followed.directory.who_is("email", "cora@new.example").account
        assert known is not None
        assert (known.id, known.owner) == ("new", "eve")
    finally:
        await followed.stop()
    version = await house.current()
    assert (version.number, version.author, version.origin) == (2, "api key crm", Origin.API)
    newest, first = await DirectoryStore(house.store).entries()
    assert (newest.number, first.number) == (2, 1)
    (before,) = await DirectoryStore(house.store).read([first])
    assert before.workspace == Workspace.model_validate(COMPANY), "an earlier version stays as it was"


async def test_what_was_changed_is_seen_at_once(house: House) -> None:
    for number in range(20):
        changed = await house.ask("PATCH", "/acme", {"yearly_value": number})
        got = await house.ask("GET", "/acme")
        assert got.json()["yearly_value"] == number
        assert got.headers["etag"] == changed.headers["etag"]


async def test_export_and_history_show_what_came_by_the_api(
    house: House, mongo: MongoSettings, cli: Cli
) -> None:
    await house.ask("PUT", "/new", {"name": "New", "renewal": "2027-03-31"})
    exported = await asyncio.to_thread(cli, "export")
    accounts = {account["id"]: account for account in yaml.safe_load(exported.out)["accounts"]}
    assert accounts["new"]["name"] == "New"
    assert set(accounts) == {"acme", "orphan", "new"}
    (newest, *_) = (await asyncio.to_thread(cli, "history", "--json")).json
    assert (newest["author"], newest["origin"]) == ("api key crm", "api")
    applied = await asyncio.to_thread(cli, "apply", "-", "--author", "mara", text=exported.out)
    assert "Nothing to change" in applied.out


async def test_a_stale_tag_changes_nothing(house: House) -> None:
    tag = (await house.ask("GET", "/acme")).headers["etag"]
    assert (await house.ask("PATCH", "/acme", {"tier": "gold"}, if_match=tag)).status_code == 200
    for method, body in (("PUT", {"name": "Acme"}), ("PATCH", {"tier": "iron"}), ("DELETE", None)):
        answer = await house.ask(method, "/acme", body, if_match=tag)
        assert (answer.status_code, problem(answer)["reason"]) == (412, "precondition")
    version = await house.current()
    assert version.number == 2
    assert {account.id: account.tier for account in version.workspace.accounts}["acme"] == "gold"


async def test_what_is_deleted_is_gone_and_so_are_its_domains(house: House) -> None:
    assert (await house.ask("DELETE", "/acme")).status_code == 204
    assert (await house.ask("GET", "/acme")).status_code == 404
    assert (await house.ask("DELETE", "/acme")).status_code == 404
    assert (await house.ask("PUT", "/heir", {"name": "Heir", "domains": ["acme.example"]})).status_code == 201
    assert [account.id for account in (await house.current()).workspace.accounts] == ["orphan", "heir"]


async def test_of_writers_at_once_none_undoes_another(mongo: MongoSettings, store: Store) -> None:
    """Three replicas, and the code of the command line beside them."""

    def competitor(number: int) -> Callable[[Workspace], Workspace]:
        return lambda before: before.model_copy(
            update={"competitors": (*before.competitors, f"Rival {number}")}
        )

    async with opened(mongo, store, replicas=3) as house:
        directory = DirectoryStore(store)

        async def command(number: int) -> None:
            await directory.change(competitor(number), "mara", Origin.COMMAND, now=clock.now())

        async def writes(number: int) -> httpx.Response:
            return await house.ask("PUT", f"/n{number}", {"name": f"{number}"}, at=number % 3)

        commands = asyncio.gather(*(command(number) for number in range(3)))
        made = await asyncio.gather(*(writes(number) for number in range(30)))
        await commands
        assert {answer.status_code for answer in made} == {201}
        tags = {answer.headers["etag"] for answer in made}
        assert len(tags) == 30, "each is a version of its own"
        version = await house.current()
        assert version.number == 1 + 30 + 3
        assert {account.id for account in version.workspace.accounts} == {
            "acme",
            "orphan",
            *(f"n{number}" for number in range(30)),
        }
        assert set(version.workspace.competitors) == {"Rival 0", "Rival 1", "Rival 2"}


async def test_of_two_with_one_tag_one_is_told(mongo: MongoSettings, store: Store) -> None:
    async with opened(mongo, store, replicas=2) as house:
        answers = await asyncio.gather(
            *(house.ask("PATCH", "/acme", {"tier": f"t{n}"}, at=n, if_match='"1"') for n in range(2))
        )
        assert sorted(answer.status_code for answer in answers) == [200, 412]
        assert (await house.current()).number == 2


async def test_a_key_that_is_revoked_opens_nothing_within_five_seconds(house: House) -> None:
    assert (await house.ask("GET")).status_code == 200
    assert await ApiKeyStore(house.store).revoke(house.key_id, now=clock.now())

    async def refused() -> bool:
        return (await house.ask("GET")).status_code == 401

    await until(refused, within_s=REVOKED_WITHIN_S, what="the key is refused")


@pytest.mark.parametrize("body", [{"name": "New", "yearly_value": 2**63}, {"name": "New", "contacts": [{}]}])
async def test_what_no_database_holds_is_refused_and_breaks_nothing(house: House, body: object) -> None:
    assert (await house.ask("PUT", "/new", body)).status_code == 422
    assert (await house.ask("PUT", "/new", {"name": "New", "yearly_value": 2**63 - 1})).status_code == 201
