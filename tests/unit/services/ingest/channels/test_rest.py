"""`POST /v1/feedback`: what is taken, what is refused, and that every refusal says where and what to do."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Message, Receive, Send
from starlette.types import Scope as ASGIScope

from shared.domain.api_key import Scope
from shared.errors import InvalidInput
from shared.events.feedback import Affiliation, Change, Mode
from shared.events.topics import RECEIVED_BULK
from shared.http.server import BodyLimit
from shared.telemetry.metrics import RECEIVED
from tests.support.doors import Doors, doors, encoded
from tests.support.submissions import RECEIVED_AT, screenshot

GOOD = {"text": "The invoice is wrong."}


async def test_one_item_is_kept_when_it_is_answered(house: Doors) -> None:
    answer = await house.post(
        {
            "text": "The invoice is wrong.",
            "title": "Invoice",
            "external_id": "ticket-1",
            "revision": "2026-05-04T08:00:00Z",
            "occurred_at": "2026-05-04T10:00:00+02:00",
            "author": {"email": "carl@acme.example", "name": "C."},
            "rating": {"value": 2, "min": 1, "max": 5},
            "product": "portal",
            "touchpoint": "invoice",
            "url": "https://shop.example/t/1",
        }
    )
    (event,) = house.events
    assert answer.status_code == 202
    assert answer.json() == {
        "status": "accepted",
        "feedback_id": event.feedback_id,
        "revision": 1_777_881_600_000_000,
    }
    assert (event.channel, event.source, event.external_id, event.title) == (
        "rest",
        "shop",
        "ticket-1",
        "Invoice",
    )
    assert (event.reported_by.account, event.reported_by.affiliation) == ("acme", Affiliation.CUSTOMER)
    assert event.reply_to is not None
    assert (event.reply_to.receiver, event.reply_to.address) == ("email", "carl@acme.example")
    assert event.hints.touchpoint == "invoice"
    assert event.rating is not None
    assert event.rating.value == 2
    assert event.occurred_at.isoformat() == "2026-05-04T08:00:00+00:00"


async def test_an_author_whose_address_was_not_checked_is_nobody_and_gets_no_answer(house: Doors) -> None:
    await house.post(GOOD | {"author": {"email": "ann@brightline.example", "verified": False}})
    (event,) = house.events
    assert event.reported_by.affiliation is Affiliation.UNKNOWN
    assert event.reply_to is None


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (json.dumps([GOOD, {"text": 7}, GOOD]), "application/json"),
        (json.dumps([GOOD, {"text": "\ud800"}, GOOD]), "application/json; charset=utf-8"),
        (b'[{"text": "one"}, {"text": "broken \xff byte"}, {"text": "two"}]', "application/json"),
        (json.dumps(GOOD) + '\n\n{"text": \n' + json.dumps(GOOD) + "\n", "application/x-ndjson"),
        (json.dumps(GOOD) + '\r\n{"text": "nul \\u0000"}\r\n' + json.dumps(GOOD), "Application/X-NDJSON"),
    ],
)
async def test_one_bad_item_never_costs_a_good_neighbour(
    house: Doors, body: str | bytes, media_type: str
) -> None:
    answer = await house.post(body, content_type=media_type)
    assert answer.status_code == 207
    results = answer.json()["results"]
    assert [result["status"] for result in results] == ["accepted", "rejected", "accepted"]
    assert [result["index"] for result in results] == [0, 1, 2]
    assert results[1]["problem"]["pointer"].startswith("/1")
    assert results[1]["problem"]["remedy"]
    assert len(house.events) == 2


async def test_a_line_of_ndjson_is_named_by_its_number(house: Doors) -> None:
    answer = await house.post('{"text": "a"}\n\n{"text": "b",}\n', content_type="application/x-ndjson")
    (_, bad) = answer.json()["results"]
    assert bad["line"] == 3
    assert "line 3 column" in bad["problem"]["detail"]


@pytest.mark.parametrize(
    ("item", "pointer", "reason", "remedy"),
    [
        ({"text": 7}, "/text", "wrong_type", "string"),
        ({"text": None}, "/text", "wrong_type", "string"),
        ({}, "/text", "empty", "text"),
        ({"title": "only a title"}, "/text", "empty", "text"),
        ({"text": "  \n "}, "/text", "empty", "text"),
        ({"text": "a\x00b"}, "/text", "bad_text", "U+0000"),
        ({"text": "a", "title": "\udfff"}, "/title", "bad_text", "UTF-8"),
        ({"text": "a", "author": {"name": "\ud83d"}}, "/author/name", "bad_text", "UTF-8"),
        ({"text": "a", "titel": "x"}, "/titel", "unknown_field", "`title`"),
        ({"text": "a", "author": {"mail": "a@b.example"}}, "/author/mail", "unknown_field", "`email`"),
        ({"text": "a", "zzz": 1}, "/zzz", "unknown_field", "external_id"),
        ({"text": "a", "author": {"email": "nobody"}}, "/author/email", "wrong_type", "address"),
        ({"text": "a", "author": {"email": "a@b.example", "id": "7"}}, "/author", "wrong_type", "one"),
        ({"text": "a", "occurred_at": "0000-01-01T00:00:00Z"}, "/occurred_at", "bad_date", "2026"),
        ({"text": "a", "occurred_at": "9999-12-31T23:59:59Z"}, "/occurred_at", "bad_date", "zone"),
        ({"text": "a", "occurred_at": "2031-01-01T00:00:00Z"}, "/occurred_at", "bad_date", "zone"),
        ({"text": "a", "occurred_at": "0001-01-01T00:00:00+14:00"}, "/occurred_at", "bad_date", "zone"),
        ({"text": "a", "occurred_at": "yesterday"}, "/occurred_at", "bad_date", "2026"),
        ({"text": "a", "occurred_at": "2026-05-04T09:30:00"}, "/occurred_at", "bad_date", "zone"),
        ({"text": "a", "occurred_at": 1_777_881_600}, "/occurred_at", "wrong_type", "2026"),
        ({"text": "a", "revision": -1}, "/revision", "wrong_type", "0 or more"),
        ({"text": "a", "revision": 2**70}, "/revision", None, ""),
        ({"text": "a", "revision": 1.5}, "/revision", "wrong_type", "whole"),
        ({"text": "a", "rating": {"value": "5"}}, "/rating/value", "wrong_type", "number"),
        ({"text": "a", "rating": {"value": 9}}, "/rating/value", "wrong_type", "max"),
        ({"text": "a", "rating": {}}, "/rating/value", "missing_field", "Send"),
        ({"text": "a", "confidential": "yes"}, "/confidential", "wrong_type", "true"),
        ({"text": "a", "mode": "replay"}, "/mode", "wrong_type", "import"),
        ({"text": "a", "mode": "loud"}, "/mode", "wrong_type", "'live'"),
        ({"attachments": [{"name": "a", "content": "@"}]}, "/attachments/0/content", "wrong_type", "base64"),
        ({"text": "a", "attachments": [{"name": "a"}]}, "/attachments/0/content", "missing_field", "Send"),
        ({"text": "a", "attachments": {}}, "/attachments", "wrong_type", "array"),
        ({"change": "deleted"}, "/external_id", "missing_field", "external_id"),
        ([1], "/0", "wrong_type", "object"),
    ],
)  # fmt: skip
async def test_what_cannot_be_taken_is_named_with_its_remedy(
    house: Doors, item: object, pointer: str, reason: str | None, remedy: str
) -> None:
    answer = await house.post(item)
    problem = answer.json()
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["pointer"] == pointer
    assert reason is None or problem["reason"] == reason
    assert remedy in problem["remedy"]
    assert not house.events


async def test_every_fault_of_an_item_is_listed_and_nothing_of_it_is_repeated(house: Doors) -> None:
    answer = await house.post({"text": 7, "titel": "a secret", "rating": {"value": "hidden"}})
    pointers = {fault["pointer"] for fault in answer.json()["errors"]}
    assert pointers == {"/text", "/titel", "/rating/value"}
    assert "secret" not in answer.text
    assert "hidden" not in answer.text


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        (b"", 400, "empty"),
        (b'{"text": "a",\n  "title" "b"}', 400, "line 2 column 11"),
        (b"[" * 100_000, 400, "nested"),
        (b'{"revision": ' + b"9" * 5_000 + b"}", 400, "number"),
        (b'{"rating": {"value": NaN}}', 400, ""),
        (b'"text"', 422, "neither an object nor an array"),
        (b"[]", 422, "no item"),
        (b"[" + b'{"text":"a"},' * 60 + b'{"text":"a"}]', 413, "more than 50 items"),
    ],
)
async def test_a_body_that_is_wrong_as_a_whole(house: Doors, body: bytes, status: int, says: str) -> None:
    answer = await house.post(body)
    assert answer.status_code == status
    assert says in answer.json()["detail"]


async def test_a_text_too_long_names_how_long_it_may_be(house: Doors) -> None:
    answer = await house.post({"text": "a" * 100_001})
    assert (answer.status_code, answer.json()["pointer"]) == (413, "/text")
    assert "100000" in answer.json()["remedy"]


@pytest.mark.parametrize("how", ["announced", "in chunks"])
async def test_a_body_over_the_limit_is_413_whatever_was_announced(house: Doors, how: str) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(30):
            yield b" " * 10_000

    headers = {"authorization": f"Bearer {house.token}", "content-type": "application/json"}
    content = b" " * 300_000 if how == "announced" else chunks()
    answer = await house.http.post("/v1/feedback", content=content, headers=headers)
    assert (answer.status_code, answer.json()["reason"]) == (413, "too_large")


@pytest.mark.parametrize(
    "media_type",
    ["text/plain", "application/xml", "", "application/json; charset=utf-16", "multipart/form-data"],
)
async def test_a_media_type_of_another_kind_is_415(house: Doors, media_type: str) -> None:
    answer = await house.post(GOOD, content_type=media_type)
    assert answer.status_code == 415
    assert "application/json" in answer.json()["remedy"]


async def test_items_that_are_equal_are_two_and_a_retry_of_them_is_no_third(house: Doors) -> None:
    for _ in range(2):
        await house.post([GOOD, GOOD | {"occurred_at": "2026-05-01T00:00:00Z"}, GOOD], idempotency_key="a")
    assert len({event.feedback_id for event in house.events}) == 3


async def test_an_attachment_comes_inline_and_needs_no_words(house: Doors) -> None:
    content = base64.encodebytes(screenshot()).decode()
    answer = await house.post(
        {"attachments": [{"name": "shot.png", "media_type": "image/png", "content": content}]}
    )
    (event,) = house.events
    assert answer.status_code == 202
    (attachment,) = event.attachments
    assert house.parts.memory.files[attachment.sha256] == screenshot()


async def test_attachments_have_limits(house: Doors) -> None:
    one = {"name": "a.txt", "content": base64.b64encode(b"a").decode()}
    many = await house.post(GOOD | {"attachments": [one] * 4})
    assert (many.status_code, many.json()["pointer"]) == (413, "/attachments")


async def test_a_deletion_needs_only_what_is_deleted(house: Doors) -> None:
    await house.post(GOOD | {"external_id": "x", "revision": 1})
    answer = await house.post({"external_id": "x", "change": "deleted", "revision": 2})
    first, last = house.events
    assert answer.status_code == 202
    assert (last.feedback_id, last.change) == (first.feedback_id, Change.DELETED)


# ---- Keys ----


@pytest.mark.parametrize(
    "header", ["", "Basic abc", "Bearer ", "Bearer lp_000000000000_" + "0" * 64, "Bearer \xff", "lp_x"]
)
async def test_without_a_key_nobody_gets_in(house: Doors, header: str) -> None:
    answer = await house.http.post("/v1/feedback", content=b"{", headers=encoded({"authorization": header}))
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.json()["reason"] == "unauthenticated"


async def test_a_key_that_has_expired_or_was_revoked_opens_nothing(house: Doors) -> None:
    token = house.keys.add(Scope.WRITE, expires_at=RECEIVED_AT + timedelta(seconds=1))
    assert (await house.post(GOOD, token=token)).status_code == 202
    house.now = RECEIVED_AT + timedelta(seconds=1)
    assert (await house.post(GOOD, token=token)).status_code == 401


async def test_a_scheme_is_known_in_any_case(house: Doors) -> None:
    assert (await house.post(GOOD, authorization=f"bearer {house.token}")).status_code == 202


@pytest.mark.parametrize(
    ("scopes", "item", "status", "mode"),
    [
        ((Scope.WRITE,), GOOD, 202, Mode.LIVE),
        ((Scope.WRITE,), GOOD | {"mode": "test"}, 202, Mode.TEST),
        ((Scope.WRITE,), GOOD | {"mode": "import"}, 403, None),
        ((Scope.WRITE,), GOOD | {"channel": "slack", "source": "T1"}, 403, None),
        ((Scope.WRITE,), GOOD | {"batch": "crm 2019"}, 403, None),
        ((Scope.TEST,), GOOD | {"batch": "crm 2019"}, 403, None),
        ((Scope.IMPORT,), GOOD | {"mode": "backfill"}, 202, Mode.BACKFILL),
        ((Scope.IMPORT,), GOOD | {"mode": "import", "batch": "crm 2019"}, 202, Mode.IMPORT),
        ((Scope.IMPORT,), GOOD, 403, None),
        ((Scope.TEST,), GOOD, 202, Mode.TEST),
        ((Scope.TEST,), GOOD | {"mode": "live"}, 403, None),
        ((), GOOD, 403, None),
    ],
)
async def test_a_key_may_do_what_its_scopes_say(
    house: Doors, scopes: tuple[Scope, ...], item: dict[str, Any], status: int, mode: Mode | None
) -> None:
    answer = await house.post(item, token=house.keys.add(*scopes))
    assert answer.status_code == status
    assert [event.mode for event in house.events] == ([mode] if mode else [])
    if status == 403:
        assert "feedback:" in answer.json()["remedy"]


async def test_an_import_meets_what_came_through_the_channel_itself(house: Doors) -> None:
    importer = house.keys.add(Scope.IMPORT)
    item = GOOD | {"channel": "slack", "source": "T1", "external_id": "C1:1.2", "mode": "import"}
    answer = await house.post(item, token=importer)
    (event,) = house.events
    assert answer.status_code == 202
    assert (event.channel, event.source) == ("slack", "T1")
    assert house.parts.kafka.calls[-1][0] == RECEIVED_BULK.name


@pytest.mark.parametrize(
    ("batch", "kept"),
    [("crm 2019", "crm 2019"), (" crm\n2019\u202e ", "crm 2019"), (" \n ", None), ("", None), (None, None)],
)
async def test_an_item_says_which_import_it_is_part_of(
    house: Doors, batch: str | None, kept: str | None
) -> None:
    item = GOOD | {"mode": "import", "batch": batch}
    assert (await house.post(item, token=house.keys.add(Scope.IMPORT))).status_code == 202
    assert [event.batch for event in house.events] == [kept]


async def test_a_batch_is_refused_with_the_scope_it_needs_and_has_a_bound(house: Doors) -> None:
    refused = (await house.post(GOOD | {"batch": "crm 2019"})).json()
    assert "feedback:import" in refused["remedy"]
    assert refused["pointer"] == "/batch"
    long = await house.post(GOOD | {"mode": "import", "batch": "x" * 513}, token=house.keys.add(Scope.IMPORT))
    assert long.status_code == 413
    assert "/batch" in long.text


async def test_a_key_cannot_reach_what_another_one_sent(house: Doors) -> None:
    other = house.keys.add(Scope.WRITE, source="forum")
    for token, source in ((house.token, None), (other, None), (other, "shop")):
        item = GOOD | {"external_id": "1"} | ({"source": source} if source else {})
        assert (await house.post(item, token=token)).status_code == 202
    assert len({event.feedback_id for event in house.events}) == 3
    assert [event.source for event in house.events] == ["shop", "forum", "forum/shop"]


# ---- Repeating ----


async def test_the_same_key_and_body_get_the_same_answer(house: Doors) -> None:
    first = await house.post([GOOD, {"text": 1}], idempotency_key="one")
    again = await house.post([GOOD, {"text": 1}], idempotency_key="one")
    assert (first.status_code, first.content) == (again.status_code, again.content)
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert len(house.events) == 1


async def test_the_same_key_for_another_body_is_refused(house: Doors) -> None:
    await house.post(GOOD, idempotency_key="one")
    answer = await house.post({"text": "Something else."}, idempotency_key="one")
    assert (answer.status_code, answer.json()["reason"]) == (422, "idempotency_conflict")
    other = await house.post({"text": "B"}, idempotency_key="one", token=house.keys.add(Scope.WRITE))
    assert other.status_code == 202


async def test_a_request_that_was_refused_may_be_mended_under_its_key(house: Doors) -> None:
    assert (await house.post({"text": 1}, idempotency_key="one")).status_code == 422
    assert (await house.post(GOOD, idempotency_key="one")).status_code == 202


async def test_two_at_once_with_one_key_are_one(house: Doors) -> None:
    answers = await asyncio.gather(*(house.post(GOOD, idempotency_key="one") for _ in range(5)))
    assert len({answer.content for answer in answers}) == 1
    assert len(house.events) == 1


@pytest.mark.parametrize("key", ["", "a b", "x" * 256, "é"])
async def test_an_idempotency_key_has_a_form(house: Doors, key: str) -> None:
    answer = await house.post(GOOD, idempotency_key=key)
    assert answer.status_code == 400


# ---- Outages ----


async def test_a_body_that_never_ends_is_given_up(house: Doors) -> None:
    async def silent() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def application(scope: ASGIScope, receive: Receive, send: Send) -> None:
        with pytest.raises(InvalidInput, match="nothing more"):
            await receive()

    scope: ASGIScope = {"type": "http", "path": "/v1/feedback", "headers": []}
    await BodyLimit(application, {}, silent_s=0.01)(scope, silent, _unheard)


async def _unheard(_: Message) -> None:
    raise AssertionError


async def test_refusals_are_counted_by_channel_and_reason(house: Doors) -> None:
    def counted(channel: str, reason: str) -> float:
        return float(RECEIVED.labels(channel, "refused", reason)._value.get())

    before = counted("rest", "unauthenticated"), counted("slack", "stale_timestamp")
    await house.post(GOOD, token="lp_nobody")
    await house.http.post("/v1/channels/slack/events", content=b"{}")
    after = counted("rest", "unauthenticated"), counted("slack", "stale_timestamp")
    assert after == (before[0] + 1, before[1] + 1)


async def test_a_broker_that_is_away_is_answered_202_because_it_is_kept(house: Doors) -> None:
    house.parts.kafka.away = True
    answer = await house.post(GOOD)
    assert (answer.status_code, answer.json()["status"]) == (202, "spooled")


async def test_503_when_it_cannot_be_kept_and_when_to_come_again(tmp_path: Path) -> None:
    async with doors(tmp_path, publish_within_s=1.0) as house:
        house.parts.kafka.away = True
        await house.parts.spool.stop()
        answer = await house.post(GOOD)
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0
        assert answer.json()["reason"] == "unreachable"


async def test_what_is_not_there_is_a_problem_document_too(house: Doors) -> None:
    for answer in (await house.http.get("/v1/feedback"), await house.http.get("/nowhere")):
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == answer.status_code


async def test_the_schema_describes_the_item_and_every_answer(house: Doors) -> None:
    schema = (await house.http.get("/openapi.json")).json()
    operation = schema["paths"]["/v1/feedback"]["post"]
    one, many = operation["requestBody"]["content"]["application/json"]["schema"]["oneOf"]
    assert {"text", "author", "attachments", "mode"} <= set(one["properties"])
    assert many["items"] == one
    assert one["properties"]["author"]["anyOf"][0]["properties"]["email"]
    assert {"202", "207", "400", "401", "403", "413", "415", "422", "503"} <= set(operation["responses"])
    assert "$defs" not in json.dumps(schema)
