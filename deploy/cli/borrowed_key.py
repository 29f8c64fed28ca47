"""An API key that may send tests: the one in the settings, else one that lives as long as the block."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx

from deploy.cli.author import login
from deploy.cli.settings import CliSettings
from services.ingest.channels.rest import PATH
from shared import clock
from shared.domain.api_key import Scope
from shared.store.api_keys import ApiKeyStore
from shared.store.connection import Store

_LIVES = timedelta(minutes=30)
_KNOWN_WITHIN_S = 8.0
_ASK_EVERY_S = 0.2


@asynccontextmanager
async def key_for_tests(where: CliSettings, store: Store, http: httpx.AsyncClient) -> AsyncIterator[str]:
    """The token of the key in the settings, else of one that is borrowed."""
    if where.cli.key is not None:
        yield where.cli.key.get_secret_value()
        return
    async with borrowed(Scope.TEST, store, http) as token:
        yield token


@asynccontextmanager
async def borrowed(scope: Scope, store: Store, http: httpx.AsyncClient) -> AsyncIterator[str]:
    """The token of a key that may do this alone, is known to ingest by then, and is revoked after."""
    keys = ApiKeyStore(store)
    now = clock.now()
    key, token = await keys.create("self-test", [scope], now=now, created_by=login(), expires_at=now + _LIVES)
    try:
        await _known(http, token)
        yield token
    finally:
        await keys.revoke(key.id, now=clock.now())


async def _known(http: httpx.AsyncClient, token: str) -> None:
    """Ingest follows the keys, a moment later it knows the new one. Of an empty body nothing is kept."""
    deadline = asyncio.get_running_loop().time() + _KNOWN_WITHIN_S
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    while asyncio.get_running_loop().time() < deadline:
        answer = await http.post(PATH, content=b"", headers=headers)
        if answer.status_code != httpx.codes.UNAUTHORIZED:
            return
        await asyncio.sleep(_ASK_EVERY_S)
