"""Whoever installed this comes in by a link, once: the command, the page in a real browser, the database."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
import pytest_asyncio
from pydantic import SecretStr

from deploy.docker.prepare import prepare
from services.console.app import create_app
from services.console.settings import ConsoleSettings
from shared import clock
from shared.domain.api_key import Scope
from shared.domain.invitation import LASTS, token
from shared.settings import CommonSettings, KafkaSettings, MongoSettings
from shared.store.api_keys import ApiKeyFollower, ApiKeyStore
from shared.store.connection import Store
from shared.store.logins import LoginStore
from tests.support import browser
from tests.support.cli import Cli, Done
from tests.support.served import served
from tests.support.wait import until

KEY = "the token of the tools"
OWN = {"sec-fetch-site": "same-origin"}


@pytest_asyncio.fixture
async def console(mongo: MongoSettings, store: Store) -> AsyncIterator[httpx.AsyncClient]:
    settings = ConsoleSettings.model_validate({"mongo": mongo, "internal_token": KEY})
    async with served(create_app(settings)) as url, httpx.AsyncClient(base_url=url, timeout=30) as http:
        yield http


@pytest.fixture
def shown(cli: Cli, console: httpx.AsyncClient) -> Link:
    return Link(cli, str(console.base_url).rstrip("/"))


class Link:
    """`listeningpost first-link`, as whoever installs this asks for it."""

    def __init__(self, cli: Cli, url: str) -> None:
        self._cli = cli
        self._url = url

    async def ask(self, *options: str) -> Done:
        env = {"LISTENINGPOST_INTERNAL_TOKEN": KEY, "LISTENINGPOST_CONSOLE_URL": self._url}
        return await asyncio.to_thread(self._cli, "first-link", *options, env=env)

    async def __call__(self) -> str:
        done = await self.ask()
        assert done.code == 0, done.err
        return done.out.strip()


def typed(link: str, name: str = "Mara Lind") -> dict[str, str]:
    return {"name": name, "link": link}


async def test_it_is_the_same_until_it_is_used_and_then_there_is_none(
    shown: Link, console: httpx.AsyncClient, store: Store
) -> None:
    link = await shown()
    assert await shown() == link
    assert urlsplit(link).path == "/first"
    done = await console.post("/first", data=typed(link), headers=OWN)
    assert done.status_code == 200
    assert "Welcome, Mara Lind" in done.text
    (key,) = await ApiKeyStore(store).list()
    assert (key.name, key.scopes) == ("administrator Mara Lind", frozenset(Scope))
    again = await console.post("/first", data=typed(link, "Eve"), headers=OWN)
    assert (again.status_code, "lp_" in again.text) == (401, False)
    assert [found.revoked_at is None for found in await ApiKeyStore(store).list()] == [True, False]
    refused = await shown.ask()
    assert refused.code == 1
    assert "came in on" in refused.err


async def test_the_key_it_gives_opens_the_api(shown: Link, console: httpx.AsyncClient, store: Store) -> None:
    done = await console.post("/first", data=typed(await shown()), headers=OWN)
    secret = done.text.partition('value="lp_')[2].partition('"')[0]
    keys = ApiKeyFollower(store)
    await keys.start()
    try:
        found = keys.check(f"lp_{secret}", clock.now())
        assert found is not None
        assert found.scopes == frozenset(Scope)
    finally:
        await keys.stop()
    assert done.headers["cache-control"] == "no-store"


async def test_of_many_who_use_it_at_once_one_comes_in(
    shown: Link, console: httpx.AsyncClient, store: Store
) -> None:
    link = await shown()
    answers = await asyncio.gather(
        *(console.post("/first", data=typed(link, f"Person {number}"), headers=OWN) for number in range(10))
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 9
    in_force = [key for key in await ApiKeyStore(store).list() if key.revoked_at is None]
    assert len(in_force) == 1


@pytest.mark.parametrize(
    ("link", "name", "headers", "status", "said"),
    [
        ("", "Mara", OWN, 401, "opens nothing"),
        (token("0" * 16, KEY), "Mara", OWN, 401, "opens nothing"),
        (token("0" * 16, "a guess"), "Mara", OWN, 401, "opens nothing"),
        ("lpi_x", " ", OWN, 422, "your name"),
        ("lpi_x", "Mara", {"sec-fetch-site": "cross-site"}, 403, "another site"),
        ("lpi_x", "Mara", {}, 403, "another site"),
        ("lpi_<b>", "<script>", OWN, 401, "&lt;script&gt;"),
    ],
)
async def test_who_may_not_come_in_is_told_why_and_no_key_stays(
    console: httpx.AsyncClient,
    store: Store,
    link: str,
    name: str,
    headers: dict[str, str],
    status: int,
    said: str,
) -> None:
    await LoginStore(store).invite(clock.now())
    answer = await console.post("/first", data=typed(link, name), headers=headers)
    assert answer.status_code == status
    assert said in answer.text
    assert not [key for key in await ApiKeyStore(store).list() if key.revoked_at is None]


async def test_without_a_token_no_link_opens_anything(mongo: MongoSettings, store: Store) -> None:
    invitation = await LoginStore(store).invite(clock.now())
    settings = ConsoleSettings.model_validate({"mongo": mongo})
    async with served(create_app(settings)) as url, httpx.AsyncClient(base_url=url, timeout=30) as http:
        answer = await http.post("/first", data=typed(token(invitation.id, "")), headers=OWN)
    assert answer.status_code == 401


async def test_after_a_week_there_is_another(store: Store) -> None:
    logins, now = LoginStore(store), clock.now().replace(microsecond=0)
    first = await logins.invite(now - LASTS)
    assert not await logins.accept(first.id, now)
    renewed = await asyncio.gather(*(logins.invite(now) for _ in range(5)))
    assert len({invitation.id for invitation in renewed} | {first.id}) == 2
    assert await logins.accept(renewed[0].id, now + LASTS - timedelta(seconds=1))
    assert (await logins.invite(now + 2 * LASTS)).accepted_at is not None


async def test_what_prepares_the_servers_makes_it_and_writes_it_down_nowhere(
    kafka: KafkaSettings, mongo: MongoSettings, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    settings = CommonSettings(kafka=kafka, mongo=mongo, internal_token=SecretStr(KEY))
    for _ in range(2):
        await prepare(settings, members=None, within_s=30)
    (kept,) = await store.collection("logins").find().to_list(None)
    link = token(kept["invitation"], KEY)
    assert link not in caplog.text
    assert link not in str(kept)


async def test_the_command_says_what_is_missing(cli: Cli, store: Store) -> None:
    done = await asyncio.to_thread(cli, "first-link")
    assert (done.code, "LISTENINGPOST_INTERNAL_TOKEN" in done.err) == (2, True)
    done = await asyncio.to_thread(cli, "first-link", env={"LISTENINGPOST_INTERNAL_TOKEN": KEY})
    assert (done.code, "LISTENINGPOST_CONSOLE_URL" in done.err) == (2, True)


@pytest.mark.browser
@pytest.mark.skipif(browser.installed() is None, reason="there is no Chromium here")
async def test_in_a_browser_with_the_keyboard_alone(
    shown: Link, console: httpx.AsyncClient, tmp_path: Path
) -> None:
    link = await shown()
    base = str(console.base_url).rstrip("/")
    async with browser.browser(tmp_path / "profile") as opened:
        page = await opened.page()
        await page.size(390, 844, phone=True)
        await page.go(link)
        filled = "document.getElementById('link').value.startsWith('lpi_')"
        await until(lambda: page.run(filled), within_s=20, what="the link is in the form")
        assert await page.run("location.href") == f"{base}/first", "and no longer in the address"
        assert await page.run("document.documentElement.scrollWidth <= innerWidth"), "nothing is cut off"
        await page.run("document.getElementById('name').focus()")
        await page.write("Mara Lind")
        await page.press("Enter", 13, "\r")
        done = "document.title.startsWith('You are the administrator')"
        await until(lambda: page.run(done), within_s=20, what="the key is shown")
        assert await page.run("document.getElementById('key').value.startsWith('lp_')")
        assert await page.run("document.documentElement.scrollWidth <= innerWidth")
