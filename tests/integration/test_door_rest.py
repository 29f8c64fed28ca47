"""`POST /v1/feedback` on sockets, with real keys in MongoDB and real events in Kafka."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import httpx
import pytest_asyncio

from shared import clock
from shared.domain.api_key import Scope
from shared.settings import KafkaSettings, MongoSettings
from shared.store.api_keys import ApiKeyStore
from shared.store.connection import Store
from tests.support.doors import INGEST
from tests.support.ingest_service import Ingest, ingest
from tests.support.wait import until

PATH = "/v1/feedback"
REVOKED_WITHIN_S = 5.0


@pytest_asyncio.fixture
async def house(
    kafka: KafkaSettings, mongo: MongoSettings, store: Store, tmp_path: Path
) -> AsyncIterator[Ingest]:
    sections = {**INGEST, "rest": {"max_body_bytes": 1_000_000}}
    async with ingest(kafka, mongo, store, tmp_path, **sections) as running:
        yield running


async def key(store: Store, *scopes: Scope) -> tuple[str, str]:
    made, token = await ApiKeyStore(store).create("tests", scopes or [Scope.WRITE], now=clock.now())
    return made.id, token


async def post(house: Ingest, token: str, body: object, **headers: str) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    sent = {"authorization": f"Bearer {token}", "content-type": "application/json", **named}
    return await house.http.post(PATH, content=content, headers=sent)


async def opens(house: Ingest, token: str) -> bool:
    """Whether the key is taken; the body is not, so nothing comes of it."""
    return (await post(house, token, b"")).status_code == 400


async def test_a_key_opens_soon_after_it_is_made_and_nothing_soon_after_it_is_revoked(
    house: Ingest, store: Store
) -> None:
    key_id, token = await key(store)
    await until(lambda: opens(house, token), within_s=REVOKED_WITHIN_S, what="the key is known")
    keys = ApiKeyStore(store)
    assert await keys.revoke(key_id, now=clock.now())
    assert not await keys.revoke(key_id, now=clock.now())

    async def refused() -> bool:
        return (await post(house, token, b"")).status_code == 401

    await until(refused, within_s=REVOKED_WITHIN_S, what="the key is refused")


async def test_what_is_stored_of_a_key_does_not_open_anything(store: Store) -> None:
    key_id, token = await key(store, Scope.WRITE, Scope.IMPORT)
    row = await store.collection("api_keys").find_one({"_id": key_id})
    assert row is not None
    assert token.rpartition("_")[2] not in json.dumps(row, default=str)
    (listed,) = await ApiKeyStore(store).list()
    assert (listed.id, listed.source) == (key_id, "tests")
    assert listed.scopes == frozenset({Scope.WRITE, Scope.IMPORT})


async def test_everything_that_was_answered_as_kept_is_in_kafka(house: Ingest, store: Store) -> None:
    _, token = await key(store)
    await until(lambda: opens(house, token), within_s=REVOKED_WITHIN_S, what="the key is known")
    lines = b"".join(b'{"text": "number %d"}\n' % number for number in range(1_000)) + b"{broken\n"
    answer = await post(house, token, lines, content_type="application/x-ndjson")
    assert answer.status_code == 207
    kept = {result["feedback_id"] for result in answer.json()["results"] if result["status"] == "accepted"}
    assert len(kept) == 1_000
    assert {event.feedback_id for event in await house.events()} == kept


async def test_a_retry_after_a_restart_gets_the_answer_it_missed(
    kafka: KafkaSettings, mongo: MongoSettings, store: Store, tmp_path: Path
) -> None:
    _, token = await key(store)
    answers = []
    for number in range(2):
        async with ingest(kafka, mongo, store, tmp_path / str(number), **INGEST) as house:
            await until(partial(opens, house, token), within_s=5, what="the key is known")
            answers.append(await post(house, token, {"text": "once"}, idempotency_key="k"))
            assert len(await house.events()) == 1
    first, again = answers
    assert (first.content, first.status_code) == (again.content, again.status_code)
    assert again.headers["idempotency-replayed"] == "true"


async def test_a_sender_of_far_too_much_still_reads_why_it_was_refused(house: Ingest, store: Store) -> None:
    _, token = await key(store)
    await until(lambda: opens(house, token), within_s=REVOKED_WITHIN_S, what="the key is known")
    assert (await post(house, token, b" " * 30_000_000)).status_code == 413
    assert (await post(house, "lp_nobody", b" " * 30_000_000)).status_code == 401
    assert (await post(house, token, {"text": "The next one is taken."})).status_code == 202


async def test_many_at_once_are_all_taken(house: Ingest, store: Store) -> None:
    _, token = await key(store)
    await until(lambda: opens(house, token), within_s=REVOKED_WITHIN_S, what="the key is known")
    sent = (post(house, token, [{"text": f"{n}"} for n in range(10)]) for _ in range(30))
    answers = await asyncio.gather(*sent)
    assert {answer.status_code for answer in answers} == {202}
    assert len({event.feedback_id for event in await house.events()}) == 300
