"""The console's HTTP around a directory in memory, which the store's own code changes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import httpx

from services.console.api.accounts import AccountsApi, Parts
from services.console.http import create_http
from shared.domain.api_key import Scope
from shared.domain.directory import Directory
from shared.domain.workspace import Workspace
from shared.errors import DependencyDown
from shared.store.directory import Conflict, DirectoryFollower, DirectoryStore, Origin, Version
from tests.support.company import COMPANY
from tests.support.doors import Ring
from tests.support.submissions import RECEIVED_AT

ACCOUNTS = "/v1/accounts"


class Book(DirectoryStore):
    """Versions in memory. `away`: MongoDB does not answer. `rivals`: so many changes are overtaken."""

    def __init__(self) -> None:
        self.versions = [Version(1, "mara", RECEIVED_AT, Workspace.model_validate(COMPANY))]
        self.away = False
        self.rivals = 0

    async def current(self) -> Version | None:
        if self.away:
            raise DependencyDown("mongodb")
        return self.versions[-1] if self.versions else None

    async def propose(
        self,
        workspace: Workspace,
        author: str,
        *,
        expected: int,
        now: datetime,
        origin: Origin = Origin.FILE,
    ) -> Version:
        await asyncio.sleep(0)
        before = self.versions[-1]
        if self.rivals:
            self.rivals -= 1
            renamed = before.workspace.model_copy(update={"name": f"Brightline {before.number}"})
            self.versions.append(Version(before.number + 1, "rival", now, renamed))
            raise Conflict(self.versions[-1])
        if before.number != expected:
            raise Conflict(before)
        self.versions.append(Version(expected + 1, author, now, workspace, origin))
        return self.versions[-1]


class Followed(DirectoryFollower):
    def __init__(self, book: Book) -> None:
        self._book = book

    async def newest(self) -> Directory:
        version = await self._book.current()
        if version is None:
            raise DependencyDown("directory")
        return Directory(version.workspace, version.number)


class Desk:
    """`writer` and `reader` are tokens of keys."""

    def __init__(self, max_body_bytes: int = 100_000) -> None:
        self.keys = Ring()
        self.writer = self.keys.add(Scope.ACCOUNTS_WRITE)
        self.reader = self.keys.add(Scope.ACCOUNTS_READ)
        self.book = Book()
        parts = Parts(self.keys, self.book, Followed(self.book), lambda: RECEIVED_AT)
        transport = httpx.ASGITransport(create_http(AccountsApi(parts, max_body_bytes)))
        self.http = httpx.AsyncClient(transport=transport, base_url="http://console.example")

    @property
    def version(self) -> Version:
        return self.book.versions[-1]

    async def ask(
        self, method: str, path: str = "", body: object = None, *, token: str | None = None, **headers: str
    ) -> httpx.Response:
        """`path` after /v1/accounts; `body` as it is when it is bytes, else as JSON."""
        return await ask(self.http, method, path, body, token=token or self.writer, **headers)


async def ask(
    http: httpx.AsyncClient,
    method: str,
    path: str = "",
    body: object = None,
    *,
    token: str,
    **headers: str,
) -> httpx.Response:
    sent = {"authorization": f"Bearer {token}"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    if content is not None:
        sent.setdefault("content-type", "application/json")
    return await http.request(method, f"{ACCOUNTS}{path}", content=content, headers=sent)


@asynccontextmanager
async def desk(**limits: int) -> AsyncIterator[Desk]:
    opened = Desk(**limits)
    async with opened.http:
        yield opened


def problem(answer: httpx.Response) -> dict[str, Any]:
    """The document of a refusal, which every one has."""
    assert answer.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = answer.json()
    assert found["status"] == answer.status_code
    assert found["remedy"]
    return found
