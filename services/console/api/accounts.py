"""`/v1/accounts`: customer accounts, read and changed one at a time by programs that hold an API key.

Each change is a version of the directory, made by the same code as those of a file or a CSV.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import structlog
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from services.console.api.accounts_schema import DELETE, GET, LIST, PATCH, PUT
from services.console.domain.accounts import find, known, patch, put, remove, shown
from services.console.domain.listing import asked, page
from services.console.domain.precondition import (
    IF_MATCH,
    IF_NONE_MATCH,
    Precondition,
    etag,
    precondition,
    stale,
    unchanged,
)
from shared.domain.api_key import ApiKey, Scope
from shared.domain.workspace import Unsound, Workspace
from shared.errors import DependencyDown, InvalidInput, Reason
from shared.http.access import Keys, authenticated, require
from shared.http.document import value
from shared.http.media_type import JSON, MERGE_PATCH, expect
from shared.store.directory import Conflict, DirectoryFollower, DirectoryStore, Origin, Version
from shared.telemetry.metrics import API_REQUESTS

PATH: Final = "/v1/accounts"
ONE: Final = PATH + "/{account_id}"
#: Whoever waits longer for a turn is asked to come again: a sender gives up some time, and we would not know.
_TURN_WITHIN_S = 10.0
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Parts:
    """What the API works with; `now` is the present in UTC."""

    keys: Keys
    directories: DirectoryStore
    followed: DirectoryFollower
    now: Callable[[], datetime]


class AccountsApi:
    """Raises InvalidInput and DependencyDown, which `http.py` answers."""

    def __init__(self, parts: Parts, max_body_bytes: int) -> None:
        self._parts = parts
        self._turn = asyncio.Lock()
        self.body_limits = {PATH + "/": max_body_bytes}
        self.router = APIRouter(tags=["accounts"])
        for path, endpoint, method, documentation in (
            (PATH, self.list, "GET", LIST),
            (ONE, self.get, "GET", GET),
            (ONE, self.put, "PUT", PUT),
            (ONE, self.patch, "PATCH", PATCH),
            (ONE, self.delete, "DELETE", DELETE),
        ):
            self.router.add_api_route(path, endpoint, methods=[method], response_model=None, **documentation)

    async def list(self, request: Request) -> Response:
        self._allowed(request, Scope.ACCOUNTS_READ)
        wanted = asked(request.query_params)
        directory = await self._parts.followed.newest()
        found = page(directory.workspace, wanted)
        accounts = [shown(account) for account in found.accounts]
        return _read(request, {"accounts": accounts, "next_cursor": found.next_cursor}, directory.version)

    async def get(self, request: Request, account_id: str) -> Response:
        self._allowed(request, Scope.ACCOUNTS_READ)
        directory = await self._parts.followed.newest()
        return _read(request, shown(known(directory.workspace, account_id)), directory.version)

    async def put(self, request: Request, account_id: str) -> Response:
        key = self._allowed(request, Scope.ACCOUNTS_WRITE)
        sent = await _sent(request, JSON)
        done = await self._change(request, key, account_id, lambda before: put(before, account_id, sent))
        return done.answer("created" if done.created else "replaced")

    async def patch(self, request: Request, account_id: str) -> Response:
        key = self._allowed(request, Scope.ACCOUNTS_WRITE)
        sent = await _sent(request, MERGE_PATCH, JSON)
        done = await self._change(request, key, account_id, lambda before: patch(before, account_id, sent))
        return done.answer("patched")

    async def delete(self, request: Request, account_id: str) -> Response:
        key = self._allowed(request, Scope.ACCOUNTS_WRITE)
        done = await self._change(request, key, account_id, lambda before: remove(before, account_id))
        return done.answer("removed")

    def _allowed(self, request: Request, scope: Scope) -> ApiKey:
        """Whoever may write may read: what is changed has to be seen first."""
        key = authenticated(request.headers, self._parts.keys, self._parts.now())
        if Scope.ACCOUNTS_WRITE not in key.scopes:
            require(key, scope)
        return key

    async def _change(
        self, request: Request, key: ApiKey, account_id: str, make: Callable[[Workspace], Workspace]
    ) -> _Done:
        wanted = precondition(request.headers.getlist(IF_MATCH), request.headers.getlist(IF_NONE_MATCH))
        created = False

        def edit(before: Workspace) -> Workspace:
            nonlocal created
            created = find(before, account_id) is None
            after = make(before)
            wanted.hold(there=not created)
            return after

        async with self._one_at_a_time():
            version = await self._propose(edit, f"api key {key.name}", wanted)
        _log.info("account_changed", key=key.id, version=version.number)
        return _Done(version, account_id, created)

    async def _propose(
        self, edit: Callable[[Workspace], Workspace], author: str, wanted: Precondition
    ) -> Version:
        directories, now = self._parts.directories, self._parts.now()
        try:
            return await directories.change(edit, author, Origin.API, now=now, expected=wanted.versions)
        except Conflict as conflict:
            if wanted.versions is None:
                raise DependencyDown("directory", "others change it all the time") from None
            if conflict.found is not None:
                # What would be refused in any case is refused for that. Source: RFC 9110 section 13.2.1.
                edit(conflict.found.workspace)
            raise stale() from None
        except Unsound as error:
            # Of what it would make of the account, `edit` says it itself.
            raise InvalidInput(
                Reason.UNSOUND, f"the workspace in force is at fault: {error}", remedy="Mend that first."
            ) from None

    @asynccontextmanager
    async def _one_at_a_time(self) -> AsyncIterator[None]:
        """Here they wait for each other; between replicas the slower begins again, which costs more."""
        try:
            async with asyncio.timeout(_TURN_WITHIN_S):
                await self._turn.acquire()
        except TimeoutError:
            raise DependencyDown("directory", "others are being changed for too long") from None
        try:
            yield
        finally:
            self._turn.release()


@dataclass(frozen=True, slots=True)
class _Done:
    version: Version
    account_id: str
    created: bool

    def answer(self, outcome: str) -> Response:
        """The account as it is now, or nothing where there is none any more."""
        API_REQUESTS.labels(outcome, "").inc()
        headers = {"etag": etag(self.version.number)}
        account = find(self.version.workspace, self.account_id)
        if account is None:
            return Response(status_code=204, headers=headers)
        if self.created:
            headers["location"] = f"{PATH}/{self.account_id}"
        return JSONResponse(shown(account), 201 if self.created else 200, headers)


async def _sent(request: Request, *media_types: str) -> object:
    expect(request.headers.get("content-type", ""), *media_types)
    return value(await request.body())


def _read(request: Request, body: dict[str, Any], version: int) -> Response:
    """304 to whoever has it already. It is of people, so nobody between us may keep it for others."""
    API_REQUESTS.labels("read", "").inc()
    headers = {"etag": etag(version), "cache-control": "private, no-cache"}
    if unchanged(request.headers.getlist(IF_NONE_MATCH), version):
        return Response(status_code=304, headers=headers)
    return JSONResponse(body, headers=headers)
