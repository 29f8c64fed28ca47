"""Notes on sockets, with real links in MongoDB and real events in Kafka; the form in a real browser."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from shared import clock
from shared.domain.api_key import Scope
from shared.events.feedback import FeedbackReceived
from shared.settings import KafkaSettings, MongoSettings
from shared.store.api_keys import ApiKeyStore
from shared.store.attachments import AttachmentStore
from shared.store.connection import Store
from tests.support import browser
from tests.support.cli import Cli
from tests.support.doors import INGEST
from tests.support.ingest_service import Ingest, ingest
from tests.support.submissions import screenshot
from tests.support.wait import until
from tests.unit.services.ingest.channels.test_note_form import FILLED, token

KNOWN_WITHIN_S = 5.0
SHOWN = "!!document.getElementById('text')"


@pytest_asyncio.fixture
async def house(
    kafka: KafkaSettings, mongo: MongoSettings, store: Store, tmp_path: Path
) -> AsyncIterator[Ingest]:
    sections = {**INGEST, "note": {"max_body_bytes": 1_000_000}}
    async with ingest(kafka, mongo, store, tmp_path, **sections) as running:
        yield running


def base(house: Ingest) -> str:
    return str(house.http.base_url).rstrip("/")


async def link(house: Ingest, store: Store) -> tuple[str, str]:
    """Its key's id and its token, once it opens the door."""
    made, secret = await ApiKeyStore(store).create(
        "note link of ann",
        [Scope.NOTES],
        now=clock.now(),
        source="notes",
        expires_at=clock.now() + timedelta(days=1),
        person="ann",
    )

    async def opens() -> bool:
        headers = {"authorization": f"Bearer {secret}", "content-type": "application/json"}
        return (await house.http.post("/v1/notes", content=b"", headers=headers)).status_code == 400

    await until(opens, within_s=KNOWN_WITHIN_S, what="the link is known")
    return made.id, secret


async def test_a_note_goes_from_the_form_to_kafka_with_its_screenshot_once(
    house: Ingest, store: Store
) -> None:
    key_id, secret = await link(house, store)
    own = {"origin": base(house)}
    assert (await house.http.post("/notes/open", data={"link": secret}, headers=own)).status_code == 303
    fields = {"token": token((await house.http.get("/notes/new")).text), **FILLED}
    picture = screenshot()
    files = {"screenshots": ("bill.png", picture, "image/png")}
    answers = await asyncio.gather(
        *(house.http.post("/notes", data=fields, files=files, headers=own) for _ in range(2))
    )
    assert [answer.status_code for answer in answers] == [303, 303]
    events = await house.events()
    assert len({(event.feedback_id, event.content_hash) for event in events}) == 1
    assert (events[0].occasion, events[0].reported_by.person_id) == ("call", "ann")
    assert await AttachmentStore(store).read(events[0].attachments[0].sha256) == (picture, "image/png")

    assert await ApiKeyStore(store).revoke(key_id, now=clock.now())

    async def closed() -> bool:
        return "Open your link" in (await house.http.get("/notes/new")).text

    await until(closed, within_s=KNOWN_WITHIN_S, what="the revoked link opens nothing")


async def test_what_the_command_makes_the_form_takes(house: Ingest, cli: Cli) -> None:
    done = await asyncio.to_thread(cli, "note", "link", "ann", "--days", "1", "--json")
    made = json.loads(done.out)
    parts = urlsplit(made["link"])
    assert (parts.path, parts.query) == ("/notes/new", "")

    async def opens() -> bool:
        data = {"link": made["link"]}
        return (await house.http.post("/notes/open", data=data, headers={"origin": base(house)})).is_redirect

    await until(opens, within_s=KNOWN_WITHIN_S, what="the link opens the form")
    unknown = await asyncio.to_thread(cli, "note", "link", "anne")
    assert unknown.code == 1
    assert "did you mean 'ann'?" in unknown.err


@pytest.mark.browser
@pytest.mark.skipif(browser.installed() is None, reason="there is no Chromium here")
async def test_a_colleague_opens_the_link_and_writes_with_the_keyboard_alone(
    house: Ingest, store: Store, tmp_path: Path
) -> None:
    _, secret = await link(house, store)
    async with browser.browser(tmp_path / "profile") as opened:
        page = await opened.page()
        await page.size(390, 844, phone=True)
        await page.go(f"{base(house)}/notes/new#{secret}")
        await until(
            lambda: page.run("!!document.getElementById('text')"), within_s=20, what="the form is shown"
        )
        assert await page.run("location.href") == f"{base(house)}/notes/new"
        assert await page.run("document.cookie") == "", "no script sees the token"
        assert await page.run("document.documentElement.scrollWidth <= innerWidth"), "nothing is cut off"

        await page.run("document.querySelector('form[enctype] button').focus()")
        await page.press("Enter", 13, "\r")
        await page.at("/notes")
        # The browser moves the focus once the page is shown, which is after its address has changed.
        await until(
            lambda: page.run("document.activeElement.className === 'summary'"),
            within_s=20,
            what="the summary of what is wrong has the focus",
        )
        assert await page.run("document.title.startsWith('Error: ')")
        # The links of the summary lead to the fields.
        await page.press("Tab", 9)
        await page.press("Enter", 13, "\r")
        assert await page.run("document.activeElement.id") == "kind-talk"
        await page.press("ArrowRight", 39)
        assert await page.run("document.querySelector('[name=kind]:checked').value") == "call"
        for field, words in (("text", "The bill is clear at last."), ("name", "Dora Doe")):
            await page.run(f"document.getElementById('{field}').focus()")
            await page.write(words)
        await page.press("Enter", 13, "\r")
        await page.at("/notes/sent")
        assert "ann@brightline.example" in await page.run("document.body.innerText")
    (event,) = await house.events()
    assert isinstance(event, FeedbackReceived)
    assert (event.text, event.occasion) == ("The bill is clear at last.", "call")
    assert event.spoken_for is not None
    assert event.spoken_for.display_name == "Dora Doe"


@pytest.mark.browser
@pytest.mark.skipif(browser.installed() is None, reason="there is no Chromium here")
async def test_whoever_comes_from_another_site_is_still_known(
    house: Ingest, store: Store, tmp_path: Path
) -> None:
    _, secret = await link(house, store)
    elsewhere = base(house).replace("127.0.0.1", "localhost")
    async with browser.browser(tmp_path / "profile") as opened:
        page = await opened.page()
        await page.go(f"{base(house)}/notes/new#{secret}")
        await until(lambda: page.run(SHOWN), within_s=20, what="the form is shown")
        await page.go(f"{elsewhere}/notes/new")
        assert not await page.run(SHOWN), "another site has another cookie"
        await page.run(f"location.assign('{base(house)}/notes/new')")
        await until(
            lambda: page.run(SHOWN), within_s=20, what="the form is shown to who comes from elsewhere"
        )
