"""`/internal/…` is answered to whoever shows the token, and to nobody else."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from shared.errors import DependencyDown, InvalidInput, Reason
from shared.internal import MAX_BODY_BYTES, open_internal

TOKEN = "the-token-of-this-house"
PATH = "/internal/echo"


async def echo(body: bytes) -> object:
    if body == b"wrong":
        raise InvalidInput(Reason.MALFORMED, "it is no word", field="word", remedy="Send a word.")
    if body == b"away":
        raise DependencyDown("directory")
    return {"said": body.decode()}


def client(token: str | None) -> httpx.AsyncClient:
    http = FastAPI()
    open_internal(http, lambda: [SecretStr(token)] if token is not None else [], {f"POST {PATH}": echo})
    assert http.openapi()["paths"] == {}
    return httpx.AsyncClient(transport=httpx.ASGITransport(http), base_url="http://post.example")


async def post(token: str | None, shown: bytes | None, body: bytes = b"hello") -> httpx.Response:
    async with client(token) as http:
        headers = {b"Authorization": shown} if shown is not None else {}
        return await http.post(PATH, content=body, headers=headers)


async def test_with_the_token_it_is_answered() -> None:
    answer = await post(TOKEN, f"Bearer {TOKEN}".encode())
    assert (answer.status_code, answer.json()) == (200, {"said": "hello"})


@pytest.mark.parametrize(
    "shown", [None, "", "Bearer", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", f"Basic {TOKEN}", "Bearer é"]
)
async def test_without_it_nothing_is(shown: str | None) -> None:
    answer = await post(TOKEN, shown.encode() if shown is not None else None)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert "hello" not in answer.text
    assert TOKEN not in answer.text


@pytest.mark.parametrize("token", [None, ""])
async def test_where_none_is_set_nobody_gets_in(token: str | None) -> None:
    for shown in (None, b"Bearer ", b"Bearer x"):
        answer = await post(token, shown)
        assert answer.status_code == 403
        assert "LISTENINGPOST_INTERNAL_TOKEN" in answer.json()["remedy"]


async def test_faults_are_problems_with_a_remedy() -> None:
    wrong = await post(TOKEN, f"Bearer {TOKEN}".encode(), b"wrong")
    assert wrong.status_code == 422
    assert wrong.json() | {"field": "word", "remedy": "Send a word."} == wrong.json()
    assert (await post(TOKEN, f"Bearer {TOKEN}".encode(), b"away")).status_code == 503


async def test_a_body_without_end_is_not_held() -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(64):
            sent += 1
            yield b"x" * 65_536

    async with client(TOKEN) as http:
        answer = await http.post(PATH, content=endless(), headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 413
    assert str(MAX_BODY_BYTES) in json.loads(answer.text)["detail"]
