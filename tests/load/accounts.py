"""How long a change of an account over the API takes and how large a version is, by how many there are.

    python -m tests.load.accounts [ACCOUNTS …]

The console and its client are in this process, the embedded MongoDB beside it. One change at a time.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from collections.abc import Sequence

import httpx
import structlog
from pydantic import SecretStr

from deploy.embedded.stack import EmbeddedStack
from services.console.app import create_app
from services.console.settings import ConsoleSettings
from shared import clock
from shared.domain.api_key import Scope
from shared.domain.workspace import Workspace
from shared.settings import MongoSettings
from shared.store.api_keys import ApiKeyStore
from shared.store.connection import Store
from shared.store.directory import DirectoryStore
from shared.store.migrations import Migrator
from tests.support.company import COMPANY
from tests.support.served import served

_TIMES = 15


def company(accounts: int) -> Workspace:
    declared = [
        {
            "id": f"a{number}",
            "name": f"Customer {number}",
            "domains": [f"a{number}.example"],
            "owner": "eve",
            "yearly_value": number,
            "contacts": [{"email": f"cora@a{number}.example", "name": "Cora Contact"}],
        }
        for number in range(accounts)
    ]
    return Workspace.model_validate({**COMPANY, "accounts": declared})


async def measure(uri: str, accounts: int) -> str:
    mongo = MongoSettings(uri=SecretStr(uri), database=f"accounts_{accounts}")
    store = Store(mongo)
    await store.start()
    await Migrator(store).start()
    await DirectoryStore(store).propose(company(accounts), "load", expected=0, now=clock.now())
    _, token = await ApiKeyStore(store).create("load", [Scope.ACCOUNTS_WRITE], now=clock.now())
    async with served(create_app(ConsoleSettings.model_validate({"mongo": mongo}))) as url:
        changed, read = await _change(url, {"authorization": f"Bearer {token}"})
    size = await store.db.command("dbStats")
    await store.stop()
    return (
        f"{accounts:>6} accounts: PATCH {statistics.median(changed) * 1_000:.0f} ms, at most "
        f"{max(changed) * 1_000:.0f}; GET after it {statistics.median(read) * 1_000:.0f} ms; "
        f"a version has {size['dataSize'] / (_TIMES + 1) / 1_000:.0f} kB"
    )


async def _change(url: str, headers: dict[str, str]) -> tuple[list[float], list[float]]:
    """Seconds of each change, and of the first look after it."""
    changed, read = [], []
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as client:
        for turn in range(_TIMES):
            began = time.perf_counter()
            answer = await client.patch("/v1/accounts/a7", json={"yearly_value": 1_000_000 + turn})
            answer.raise_for_status()
            changed.append(time.perf_counter() - began)
            began = time.perf_counter()
            (await client.get("/v1/accounts/a7")).raise_for_status()
            read.append(time.perf_counter() - began)
    return changed, read


async def run(sizes: Sequence[int]) -> None:
    structlog.configure(
        processors=[structlog.processors.JSONRenderer()], logger_factory=structlog.ReturnLoggerFactory()
    )
    # A broker that nobody asks: the console needs none.
    async with EmbeddedStack(kafka="127.0.0.1:1") as stack:
        for accounts in sizes:
            print(await measure(stack.mongo_uri, accounts))


if __name__ == "__main__":
    asyncio.run(run([int(size) for size in sys.argv[1:]] or [100, 1_000, 10_000]))
