"""The door for files: how far an import is, its mail, and rows that are the same whenever they come."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from services.ingest.domain.mail import mbox
from shared.domain.api_key import Scope
from shared.events.feedback import Mode
from tests.support.doors import CONFIDENTIAL, MAILBOX, Doors, doors

ID = "0123456789abcdef0123456789abcdef"
STATE: dict[str, Any] = {
    "file_name": "reviews.csv",
    "size_bytes": 1_000,
    "format": "csv",
    "head_digest": "ab" * 32,
    "mapping": {"Kommentar": "text"},
}
MAIL = (
    f"From: Ada <ada@customer.example>\nTo: {MAILBOX}\nSubject: The bill\n"
    "Message-ID: <1@customer.example>\nDate: Mon, 04 May 2026 09:00:00 +0000\n\n"
    "From now on it is wrong.\nNobody calls back.\n"
).encode()


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[Doors]:
    async with doors(tmp_path) as opened:
        yield opened


@pytest.fixture
def token(house: Doors) -> str:
    return house.keys.add(Scope.IMPORT)


async def ask(
    house: Doors, method: str, token: str, body: object = None, import_id: str = ID
) -> httpx.Response:
    headers = {"authorization": f"Bearer {token}"}
    return await house.http.request(method, f"/v1/imports/{import_id}", json=body, headers=headers)


async def bring(house: Doors, token: str, *mails: bytes, **query: str) -> httpx.Response:
    headers = {"authorization": f"Bearer {token}", "content-type": mbox.MEDIA_TYPE}
    return await house.http.post("/v1/imports/mail", content=mbox.join(mails), headers=headers, params=query)


async def rows(house: Doors, token: str, *items: dict[str, Any]) -> httpx.Response:
    return await house.post(
        "\n".join(map(json.dumps, items)), token=token, content_type="application/x-ndjson"
    )


# ---- How far it is ----


async def test_how_far_an_import_is_can_be_noted_and_read(house: Doors, token: str) -> None:
    assert (await ask(house, "GET", token)).status_code == 404
    begun = (await ask(house, "PUT", token, STATE)).json()
    assert (begun["rows_done"], begun["finished_at"], begun["source"]) == (0, None, "shop")
    moved = (await ask(house, "PUT", token, {**STATE, "rows_done": 7, "accepted": 6, "rejected": 1})).json()
    assert moved["started_at"] == begun["started_at"]
    assert (await ask(house, "GET", token)).json() == moved
    ended = (await ask(house, "PUT", token, {**STATE, "rows_done": 9, "finished": True})).json()
    assert ended["finished_at"]


async def test_who_may_not_import_may_not_see_imports_either(house: Doors, token: str) -> None:
    for method in ("GET", "PUT"):
        refused = await ask(house, method, house.token, STATE)
        assert refused.status_code == 403
        assert "feedback:import" in refused.json()["remedy"]
        assert (await ask(house, method, "lp_nobody", STATE)).status_code == 401
    assert (await bring(house, house.token, MAIL)).status_code == 403


async def test_another_system_may_neither_see_nor_move_it(house: Doors, token: str) -> None:
    await ask(house, "PUT", token, STATE)
    other = house.keys.add(Scope.IMPORT, source="another")
    assert (await ask(house, "GET", other)).status_code == 404
    assert (await ask(house, "PUT", other, STATE)).status_code == 403


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"rows_done": -1}, "/rows_done"),
        ({"rows_done": "7"}, "/rows_done"),
        ({"format": "pdf"}, "/format"),
        ({"file_name": ""}, "/file_name"),
        ({"head_digest": "no hex"}, "/head_digest"),
        ({"rowsdone": 7}, "/rowsdone"),
    ],
)
async def test_what_is_wrong_names_its_field(
    house: Doors, token: str, wrong: dict[str, Any], pointer: str
) -> None:
    refused = await ask(house, "PUT", token, STATE | wrong)
    assert 400 <= refused.status_code < 500
    assert refused.json()["pointer"] == pointer
    assert refused.json()["remedy"]


async def test_an_id_of_another_form_is_refused(house: Doors, token: str) -> None:
    assert (await ask(house, "GET", token, import_id="nonsense")).status_code == 400
    assert (await ask(house, "PUT", token, STATE, import_id=ID.upper())).status_code == 400


# ---- Mail ----


async def test_a_mail_that_is_brought_is_the_one_that_came_over_smtp_but_for_its_mode(
    house: Doors, token: str
) -> None:
    await house.send(MAIL, MAILBOX)
    answer = await bring(house, token, MAIL, **{"import": ID})
    assert answer.status_code == 202
    live, brought = house.events
    assert answer.json()["results"][0]["feedback_id"] == live.feedback_id
    assert (brought.mode, brought.batch) == (Mode.IMPORT, ID)
    same = {"mode": Mode.LIVE, "batch": None}
    assert brought.model_copy(update=same) == live


async def test_what_no_person_wrote_goes_aside_and_costs_no_neighbour(house: Doors, token: str) -> None:
    reply = b"Auto-Submitted: auto-replied\n" + MAIL
    answer = (await bring(house, token, MAIL, reply, b"Subject:\n\n")).json()
    assert [result["status"] for result in answer["results"]] == ["accepted", "quarantined", "quarantined"]
    assert [reason for _, reason in house.aside] == ["auto_reply", "empty"]


async def test_who_wrote_in_confidence_is_hidden_also_when_only_the_server_noted_where_it_went(
    house: Doors, token: str
) -> None:
    bcc = b"Delivered-To: " + CONFIDENTIAL.encode() + b"\n" + MAIL
    await bring(house, token, bcc)
    await bring(house, token, MAIL.replace(b"<1@", b"<2@"), confidential="true")
    assert [event.confidential for event in house.events] == [True, True]
    assert not any("ada" in event.model_dump_json().lower() for event in house.events)


async def test_what_the_mail_is_about_can_be_said(house: Doors, token: str) -> None:
    await bring(house, token, MAIL, touchpoint="invoice", product="portal")
    assert house.events[0].hints.touchpoint == "invoice"


async def test_a_mail_that_is_too_large_costs_no_neighbour(tmp_path: Path) -> None:
    async with doors(tmp_path, mail={"max_message_bytes": 2_000}) as house:
        answer = await bring(house, house.keys.add(Scope.IMPORT), MAIL, MAIL + b"x\n" * 1_200)
    assert answer.status_code == 207
    assert [result["status"] for result in answer.json()["results"]] == ["accepted", "rejected"]
    assert answer.json()["results"][1]["problem"]["pointer"] == "/1"


async def test_mail_comes_in_a_file_of_mails(house: Doors, token: str) -> None:
    headers = {"authorization": f"Bearer {token}", "content-type": "message/rfc822"}
    answer = await house.http.post("/v1/imports/mail", content=MAIL, headers=headers)
    assert answer.status_code == 415
    headers["content-type"] = mbox.MEDIA_TYPE
    assert (await house.http.post("/v1/imports/mail", content=MAIL, headers=headers)).status_code == 400


# ---- Rows ----


async def test_a_numbered_row_without_id_and_time_is_the_same_whatever_it_comes_with(
    house: Doors, token: str
) -> None:
    row = {"text": "It is wrong.", "mode": "import", "ordinal": 0}
    again = {**row, "ordinal": 1}
    await rows(house, token, row, again)
    await rows(house, token, again)
    await rows(house, token, {"text": "Another.", "mode": "import", "ordinal": 0}, row)
    first, second, second_again, _, first_again = [event.feedback_id for event in house.events]
    assert (first, second) == (first_again, second_again)
    assert first != second


async def test_who_gave_a_numbered_row_in_confidence_cannot_be_tried_out(house: Doors, token: str) -> None:
    row = {"text": "It is wrong.", "author": {"email": "ada@x.example"}, "mode": "import", "ordinal": 0}
    await rows(house, token, row, {**row, "confidential": True}, {**row, "confidential": True})
    plain, hidden, hidden_again = [event.feedback_id for event in house.events]
    assert hidden == hidden_again
    assert hidden != plain


async def test_only_who_may_import_may_number_rows(house: Doors) -> None:
    refused = await house.post({"text": "It is wrong.", "ordinal": 0})
    assert refused.status_code == 403
    assert refused.json()["pointer"] == "/ordinal"
