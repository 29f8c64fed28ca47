"""Answers by idempotency key, on a real MongoDB and while it is away."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import SecretStr

from shared import clock
from shared.errors import InvalidInput, Reason
from shared.settings import MongoSettings
from shared.store.connection import Store
from shared.store.idempotency import KEPT_FOR, IdempotencyStore, StoredAnswer

ANSWER = StoredAnswer(202, b'{"items": []}')


async def test_a_retry_gets_its_answer_from_every_replica(store: Store) -> None:
    one, other = IdempotencyStore(store), IdempotencyStore(store)
    assert await one.check("key", "k", "hash") is None
    await one.remember("key", "k", "hash", ANSWER)
    assert await one.check("key", "k", "hash") == ANSWER
    assert await other.check("key", "k", "hash") == ANSWER


async def test_another_body_under_the_key_is_refused(store: Store) -> None:
    one, other = IdempotencyStore(store), IdempotencyStore(store)
    await one.remember("key", "k", "hash", ANSWER)
    for replica in (one, other):
        with pytest.raises(InvalidInput) as refused:
            await replica.check("key", "k", "another hash")
        assert refused.value.reason is Reason.IDEMPOTENCY_CONFLICT


async def test_a_key_is_one_senders(store: Store) -> None:
    idempotency = IdempotencyStore(store)
    await idempotency.remember("key", "k", "hash", ANSWER)
    assert await idempotency.check("other", "k", "another hash") is None
    assert await idempotency.check("ke", "yk", "another hash") is None


async def test_the_first_answer_stays(store: Store) -> None:
    one, other = IdempotencyStore(store), IdempotencyStore(store)
    await one.remember("key", "k", "hash", ANSWER)
    await other.remember("key", "k", "hash", StoredAnswer(202, b"later"))
    assert await IdempotencyStore(store).check("key", "k", "hash") == ANSWER


async def test_an_answer_is_forgotten_after_a_day(store: Store) -> None:
    now = clock.now()
    idempotency = IdempotencyStore(store, now=lambda: now)
    await idempotency.remember("key", "k", "hash", ANSWER)
    now += KEPT_FOR + timedelta(seconds=1)
    assert await idempotency.check("key", "k", "another hash") is None
    indexes = await store.collection("idempotency").index_information()
    assert indexes["expires"]["expireAfterSeconds"] == 0


async def test_while_the_store_is_away_the_process_remembers() -> None:
    nowhere = MongoSettings(uri=SecretStr("mongodb://127.0.0.1:1/"), server_selection_timeout_ms=100)
    away = Store(nowhere)
    idempotency = IdempotencyStore(away, max_remembered_bytes=3_000)
    await idempotency.remember("key", "k", "hash", ANSWER)
    assert await idempotency.check("key", "k", "hash") == ANSWER
    with pytest.raises(InvalidInput):
        await idempotency.check("key", "k", "another hash")
    assert await idempotency.check("key", "unknown", "hash") is None
    for number in range(10):
        await idempotency.remember("key", f"{number}", "hash", ANSWER)
    assert await idempotency.check("key", "k", "hash") is None
    assert await idempotency.check("key", "9", "hash") == ANSWER
    await away.stop()
