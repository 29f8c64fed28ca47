from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from tests.support.doors import EVENTS, Doors, doors

EVENT: dict[str, object] = {
    "specversion": "1.0",
    "id": "A-1",
    "source": "//shop.example",
    "type": "example.said",
    "data": {"text": "The invoice is wrong."},
}


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[Doors]:
    async with doors(tmp_path) as opened:
        yield opened


async def post(house: Doors, content: object, media_type: str, **headers: str) -> httpx.Response:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    sent = {"authorization": f"Bearer {house.token}", "content-type": media_type, **named}
    return await house.http.post(EVENTS, content=body, headers=sent)


async def structured(house: Doors, **changed: object) -> httpx.Response:
    event = {name: value for name, value in {**EVENT, **changed}.items() if value is not None}
    return await post(house, event, "application/cloudevents+json; charset=utf-8")


async def test_the_three_content_modes_bring_the_same_piece(house: Doors) -> None:
    assert (await structured(house)).status_code == 202
    assert (await post(house, [EVENT], "application/cloudevents-batch+json")).status_code == 202
    binary = {
        "ce_specversion": "1.0",
        "ce_id": "A-1",
        "ce_source": "//shop.example",
        "ce_type": "example.said",
    }
    assert (await post(house, EVENT["data"], "application/json", **binary)).status_code == 202
    assert len({event.feedback_id for event in house.events}) == 1
    assert {(event.channel, event.source, event.text) for event in house.events} == {
        ("cloudevents", "shop", "The invoice is wrong.")
    }


async def test_the_time_of_an_event_is_when_it_was_said_and_its_revision(house: Doors) -> None:
    await structured(house, time="2026-05-04T09:00:00.5Z")
    (event,) = house.events
    assert event.occurred_at.isoformat() == "2026-05-04T09:00:00.500000+00:00"
    assert event.revision == 1_777_885_200_500_000


async def test_an_item_that_names_its_thing_is_a_revision_of_it(house: Doors) -> None:
    for number, time in (("A-1", "2026-05-04T09:00:00Z"), ("A-2", "2026-05-04T09:10:00Z")):
        await structured(house, id=number, time=time, data={"text": number, "external_id": "ticket 7"})
    first, second = house.events
    assert first.feedback_id == second.feedback_id
    assert first.revision < second.revision


@pytest.mark.parametrize(
    ("media_type", "content", "said"),
    [
        ("text/plain; charset=us-ascii", b"Hello, World!", "Hello, World!"),
        ("text/plain; charset=utf-8", "Zu langsam, schöne Grüße".encode(), "Zu langsam, schöne Grüße"),
        ("text/plain; charset=iso-8859-1", "schön".encode("latin-1"), "schön"),
        ("application/json; charset=utf-8", b'"Just a text"', "Just a text"),
        ("application/vnd.shop+json", b'{"text": "An item"}', "An item"),
    ],
)
async def test_data_as_text_or_item_in_binary_mode(
    house: Doors, media_type: str, content: bytes, said: str
) -> None:
    attributes = {"ce_specversion": "1.0", "ce_id": "1", "ce_source": "s", "ce_type": "t"}
    assert (await post(house, content, media_type, **attributes)).status_code == 202
    assert house.events[0].text == said


async def test_header_values_are_percent_decoded(house: Doors) -> None:
    attributes = {"ce_specversion": "1.0", "ce_id": "Euro%20%E2%82%AC", "ce_source": "s", "ce_type": "t"}
    await post(house, b"x", "text/plain", **attributes)
    await structured(house, id="Euro €", source="s", data="x")
    first, second = house.events
    assert first.feedback_id == second.feedback_id


async def test_two_events_are_never_taken_for_one(house: Doors) -> None:
    for source, number in (("a b", "c"), ("a", "b c"), ("s" * 500, "1"), ("s" * 500, "2")):
        assert (await structured(house, source=source, id=number)).status_code == 202
    assert len({event.feedback_id for event in house.events}) == 4
    assert (await structured(house, id="x" * 401)).status_code == 413


async def test_a_header_that_was_never_a_text_is_refused(house: Doors) -> None:
    attributes = {"ce_specversion": "1.0", "ce_source": "s", "ce_type": "t"}
    assert (await post(house, b"x", "text/plain", ce_id="%FF", **attributes)).status_code == 422
    given = {"ce_id": "1", "ce_datacontenttype": "text/plain", **attributes}
    assert (await post(house, b"x", "text/plain", **given)).status_code == 422


async def test_data_in_base64(house: Doors) -> None:
    content = base64.b64encode("Schön".encode()).decode()
    await structured(house, data=None, data_base64=content, datacontenttype="text/plain")
    assert house.events[0].text == "Schön"


async def test_each_event_of_a_batch_has_its_result_and_a_bad_one_costs_no_neighbour(house: Doors) -> None:
    batch = [
        EVENT,
        {**EVENT, "id": ""},
        {**EVENT, "id": "A-3", "data": 7},
        "no event",
        {**EVENT, "id": "A-5"},
    ]
    answer = await post(house, batch, "application/cloudevents-batch+json")
    assert answer.status_code == 207
    results = answer.json()["results"]
    assert [result["status"] for result in results] == [
        "accepted",
        "rejected",
        "rejected",
        "rejected",
        "accepted",
    ]
    assert results[1]["problem"]["pointer"] == "/1/id"
    assert results[2]["problem"]["pointer"] == "/2/data"
    assert len(house.events) == 2


@pytest.mark.parametrize(
    ("changed", "status", "pointer"),
    [
        ({"specversion": "0.3"}, 422, "/specversion"),
        ({"source": None}, 422, "/source"),
        ({"type": 7}, 422, "/type"),
        ({"time": "yesterday"}, 422, "/time"),
        ({"data": None}, 422, "/data"),
        ({"data": ["a"]}, 422, "/data"),
        ({"data": {"text": 7}}, 422, "/data/text"),
        ({"data": {"words": "x"}}, 422, "/data/words"),
        ({"data": None, "data_base64": "!"}, 422, "/data_base64"),
        ({"data": None, "data_base64": "eA==", "datacontenttype": "image/png"}, 415, "/datacontenttype"),
    ],
)
async def test_what_is_wrong_is_named_with_its_place(
    house: Doors, changed: dict[str, object], status: int, pointer: str
) -> None:
    answer = await structured(house, **changed)
    assert (answer.status_code, answer.json()["pointer"]) == (status, pointer)
    assert not house.events


async def test_what_is_no_event_at_all(house: Doors) -> None:
    assert (await post(house, {"text": "x"}, "application/json")).status_code == 415
    assert (await post(house, {}, "application/cloudevents-batch+json")).status_code == 422
    assert (await post(house, b"[", "application/cloudevents-batch+json")).status_code == 400


async def test_the_handshake_is_answered(house: Doors) -> None:
    answer = await house.http.options(EVENTS, headers={"webhook-request-origin": "shop.example"})
    assert answer.status_code == 200
    assert answer.headers["webhook-allowed-origin"] == "shop.example"
    assert answer.headers["webhook-allowed-rate"] == "*"
