"""The form for notes, as a browser without scripts uses it."""

from __future__ import annotations

import re
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest
import pytest_asyncio

from shared.domain.api_key import Scope
from tests.support.doors import Doors
from tests.support.submissions import RECEIVED_AT, screenshot

OWN = {"origin": "http://ingest.example"}
FILLED = {"kind": "call", "text": "It is <b>slow</b> & wrong.", "name": "Dora", "affiliation": "prospect"}


class Fields(HTMLParser):
    """What a reader of the page can fill in: names, labels, what is described by what."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.fields: list[dict[str, str | None]] = []
        self.labels: set[str | None] = set()
        self.ids: set[str | None] = set()
        self.links: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.ids.add(found.get("id"))
        if tag in {"input", "textarea", "select"} and found.get("type") != "hidden":
            self.fields.append(found)
        if tag == "label":
            self.labels.add(found.get("for"))
        if tag == "a":
            self.links.append(found.get("href") or "")


@pytest_asyncio.fixture
async def ann(house: Doors) -> httpx.AsyncClient:
    """A browser that has opened Ann's link."""
    opened = await house.http.post(
        "/notes/open", data={"link": f"https://x.example/notes/new#{house.ann}"}, headers=OWN
    )
    assert (opened.status_code, opened.headers["location"]) == (303, "/notes/new")
    return house.http


def token(page: str) -> str:
    found = re.search(r'name="token" value="([^"]+)"', page)
    assert found is not None
    return found[1]


async def send(browser: httpx.AsyncClient, fields: dict[str, Any], **more: Any) -> httpx.Response:  # noqa: ANN401
    page = (await browser.get("/notes/new")).text
    return await post(browser, {"token": token(page), **fields}, **more)


async def post(browser: httpx.AsyncClient, fields: dict[str, Any], **more: Any) -> httpx.Response:  # noqa: ANN401
    files = more.pop("files", [("screenshots", ("", b"", "application/octet-stream"))])
    return await browser.post("/notes", data=fields, files=files, headers=more.pop("headers", OWN))


async def test_a_link_is_exchanged_for_a_cookie_no_script_or_other_site_can_use(house: Doors) -> None:
    opened = await house.http.post("/notes/open", data={"link": house.ann}, headers=OWN)
    cookie = opened.headers["set-cookie"].lower()
    assert all(word in cookie for word in ("httponly", "samesite=strict", "path=/notes", "max-age="))
    assert "secure" not in cookie, "on http the browser would not send it back"
    assert house.ann not in opened.headers["location"]


async def test_on_https_the_cookie_is_for_https_alone(house: Doors) -> None:
    answer = await house.http.post(
        "https://ingest.example/notes/open",
        data={"link": house.ann},
        headers={"sec-fetch-site": "same-origin"},
    )
    assert "; secure" in answer.headers["set-cookie"].lower()


async def test_the_cookie_lasts_as_long_as_the_link(house: Doors) -> None:
    short = house.keys.add(Scope.NOTES, person="ann", expires_at=RECEIVED_AT + timedelta(hours=1))
    answer = await house.http.post("/notes/open", data={"link": short}, headers=OWN)
    assert "max-age=3600;" in answer.headers["set-cookie"].lower()


@pytest.mark.parametrize("person", [None, "gone"])
async def test_a_link_of_nobody_opens_nothing(house: Doors, person: str | None) -> None:
    of_nobody = house.keys.add(Scope.NOTES, person=person)
    for link in (of_nobody, house.token, "https://x.example/notes/new", f"{house.ann[:-1]}0"):
        answer = await house.http.post("/notes/open", data={"link": link}, headers=OWN)
        assert answer.status_code == 401
        assert "set-cookie" not in answer.headers
        assert link not in answer.text


async def test_every_field_has_a_label_and_every_description_is_there(ann: httpx.AsyncClient) -> None:
    page = (await send(ann, {"email": "no", "day": "yesterday"})).text
    found = Fields(page)
    assert len(found.fields) == 20
    for field in found.fields:
        wrapped = field.get("type") in {"radio", "checkbox"}
        assert wrapped or field["id"] in found.labels
        for described in (field.get("aria-describedby") or "").split():
            assert described in found.ids
    anchors = [link[1:] for link in found.links if link.startswith("#")]
    assert anchors == ["kind-talk", "day", "email", "text"]
    assert set(anchors) <= found.ids
    assert page.count('aria-invalid="true"') == 4
    assert "<title>Error: " in page
    assert "autofocus" in page


async def test_a_page_says_whose_it_is_and_is_kept_by_nobody(house: Doors, ann: httpx.AsyncClient) -> None:
    answer = await ann.get("/notes/new")
    assert "You write as <strong>Ann Quote</strong>" in answer.text
    assert "Acme" in answer.text
    assert house.ann not in answer.text
    assert answer.headers["cache-control"] == "no-store"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script" not in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy


async def test_a_note_is_kept_and_the_next_page_says_so(house: Doors, ann: httpx.AsyncClient) -> None:
    answer = await send(ann, FILLED | {"day": "2026-05-01", "account": "acme", "would_keep": "The tone."})
    assert (answer.status_code, answer.headers["location"]) == (303, "/notes/sent")
    (event,) = house.events
    assert event.text == "It is <b>slow</b> & wrong.\n\nTo keep: The tone."
    assert (event.occasion, event.reported_by.person_id) == ("call", "ann")
    assert event.spoken_for is not None
    assert (event.spoken_for.account, event.spoken_for.affiliation) == ("acme", "prospect")
    assert event.occurred_at.isoformat() == "2026-05-01T12:00:00+00:00"
    assert event.reply_to is not None
    page = (await ann.get("/notes/sent")).text
    assert "ann@brightline.example" in page
    assert 'href="/notes/new"' in page


async def test_sent_twice_it_is_one_note(house: Doors, ann: httpx.AsyncClient) -> None:
    fields = {"token": token((await ann.get("/notes/new")).text), **FILLED}
    for _ in range(2):
        assert (await post(ann, fields)).status_code == 303
    assert len({event.feedback_id for event in house.events}) == 1
    await send(ann, FILLED)
    await post(ann, fields | {"text": "Something else, after going back."})
    assert len({event.feedback_id for event in house.events}) == 3


async def test_screenshots_go_along_and_one_too_large_is_said(house: Doors, ann: httpx.AsyncClient) -> None:
    picture = screenshot()
    files = [("screenshots", ("bill.exe", picture, "text/html")), ("screenshots", ("", b"", ""))]
    assert (await send(ann, FILLED, files=files)).status_code == 303
    (attachment,) = house.events[0].attachments
    assert (attachment.media_type, attachment.size_bytes) == ("image/png", len(picture))
    many = [("screenshots", (f"{n}.png", picture + bytes([n]), "image/png")) for n in range(5)]
    answer = await send(ann, FILLED, files=many)
    assert answer.status_code == 422
    assert 'id="screenshots-error"' in answer.text
    huge = await send(ann, FILLED, files=[("screenshots", ("a.png", b"x" * 300_000, "image/png"))])
    assert huge.status_code == 413
    assert huge.headers["content-type"].startswith("text/html")


async def test_what_was_typed_stays_and_is_shown_as_text(house: Doors, ann: httpx.AsyncClient) -> None:
    evil = {"name": '"><script>alert(1)</script>', "text": "</textarea><script>", "touchpoint": "invoice"}
    answer = await send(ann, evil | {"email": "no", "confidential": "yes"})
    assert answer.status_code == 422
    assert "<script" not in answer.text
    assert "&lt;/textarea&gt;&lt;script&gt;</textarea>" in answer.text
    assert 'value="&#34;&gt;&lt;script&gt;' in answer.text
    assert 'value="invoice" selected' in answer.text
    assert 'value="yes" checked' in answer.text
    assert not house.events


@pytest.mark.parametrize(
    ("change", "field", "sentence"),
    [
        ({"kind": ""}, "kind", "Choose what kind"),
        ({"kind": "brunch"}, "kind", "Choose what kind"),
        ({"text": " \n"}, "text", "Write what was said."),
        ({"text": "x\x00y"}, "text", "NUL"),
        ({"text": "x" * 100_001}, "text", "too long"),
        ({"would_keep": "x" * 20_001}, "would_keep", "too long"),
        ({"email": "dora"}, "email", "Write an address"),
        ({"day": "2026-05-40"}, "day", "Write a day"),
        ({"day": "2026-05-06"}, "day", "Write a day"),
        ({"day": "1850-01-01"}, "day", "Write a day"),
        ({"affiliation": "enemy"}, "affiliation", "Choose customer"),
    ],
)
async def test_a_fault_stands_beside_its_field(
    house: Doors, ann: httpx.AsyncClient, change: dict[str, str], field: str, sentence: str
) -> None:
    answer = await send(ann, FILLED | change)
    assert answer.status_code == 422
    beside = re.search(rf'id="{field}-error">(.*?)</p>', answer.text)
    assert beside is not None
    assert sentence in beside[1]
    assert not house.events


async def test_today_and_the_east_s_tomorrow_are_just_now(house: Doors, ann: httpx.AsyncClient) -> None:
    for day in ("", "2026-05-04", "2026-05-05"):
        await send(ann, FILLED | {"day": day, "text": f"On {day}."})
    assert {event.occurred_at for event in house.events} == {RECEIVED_AT}


async def test_another_site_sends_nothing_in_ann_s_name(house: Doors, ann: httpx.AsyncClient) -> None:
    fields = {"token": token((await ann.get("/notes/new")).text), **FILLED}
    for headers in (
        {},
        {"origin": "null"},
        {"origin": "https://evil.example"},
        {**OWN, "sec-fetch-site": "cross-site"},
        {**OWN, "sec-fetch-site": "same-site"},
    ):
        assert (await post(ann, fields, headers=headers)).status_code == 403
        assert (await ann.post("/notes/open", data={"link": house.ann}, headers=headers)).status_code == 403
    assert not house.events


async def test_without_a_token_of_this_form_it_is_asked_again(house: Doors, ann: httpx.AsyncClient) -> None:
    for made_up in ("", "x", f"{'a' * 32}.{'0' * 64}"):
        answer = await post(ann, FILLED | {"token": made_up})
        assert answer.status_code == 403
        assert "Your words are still here" in answer.text
        assert (await post(ann, FILLED | {"token": token(answer.text)})).status_code == 303
    assert house.events


async def test_a_link_taken_back_meanwhile_costs_no_words_and_tells_nothing(
    house: Doors, ann: httpx.AsyncClient
) -> None:
    fields = {"token": token((await ann.get("/notes/new")).text), **FILLED, "touchpoint": "invoice"}
    house.keys.held.pop(next(key.id for key in house.keys.held.values() if key.person == "ann"))
    answer = await post(ann, fields)
    assert answer.status_code == 401
    assert "It is &lt;b&gt;slow&lt;/b&gt; &amp; wrong." in answer.text
    assert "Acme" not in answer.text
    assert not house.events
    assert "Open your link" in (await ann.get("/notes/new")).text


async def test_what_cannot_be_kept_now_stays_in_the_form(house: Doors, ann: httpx.AsyncClient) -> None:
    house.parts.kafka.away = house.parts.memory.away = True
    await house.parts.spool.stop()
    answer = await send(ann, FILLED)
    assert answer.status_code == 503
    assert "press Send again" in answer.text
    assert "It is &lt;b&gt;slow" in answer.text


async def test_who_is_not_known_is_asked_for_their_link(house: Doors) -> None:
    page = await house.http.get("/notes/new", headers={"sec-fetch-site": "none"})
    assert (page.status_code, "Open your link" in page.text) == (200, True)
    assert "come-again" not in page.text
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert "Brightline" not in page.text
    elsewhere = await house.http.get("/notes/new", headers={"sec-fetch-site": "cross-site"})
    assert "come-again" in elsewhere.text


async def test_a_browser_forgets_when_it_is_asked_to(house: Doors, ann: httpx.AsyncClient) -> None:
    assert (await ann.post("/notes/leave", headers=OWN)).status_code == 303
    assert "Open your link" in (await ann.get("/notes/new")).text


async def test_only_its_own_files_are_served(house: Doors) -> None:
    style = await house.http.get("/notes/assets/page.css")
    assert style.headers["content-type"] == "text/css; charset=utf-8"
    for name in ("note_form.html.j2", "..%2f__init__.py", "__init__.py"):
        assert (await house.http.get(f"/notes/assets/{name}")).status_code == 404
