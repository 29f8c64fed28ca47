"""`/first`: whoever installed this comes in by a link that works once, and leaves with a key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog
from fastapi import APIRouter
from pydantic import HttpUrl, SecretStr
from starlette.requests import Request
from starlette.responses import Response

from services.console.templates import FOLDER
from shared.domain.api_key import Scope
from shared.domain.invitation import id_in
from shared.errors import DependencyDown
from shared.http.pages import OPENED_BY_LINK, Pages
from shared.http.same_origin import is_own
from shared.store.api_keys import ApiKeyStore
from shared.store.logins import LoginStore

PATH: Final = "/first"
_ASSETS: Final = f"{PATH}/assets"
_MOST_CHARS = 80
_CREATED_BY = "the first administrator's link"
_NAMELESS = "Tell us your name, so that others see who changed what."
_USED = (
    "This link opens nothing: it is incomplete, was used, or has expired. "
    "`listeningpost first-link` shows the one that does."
)
_FOREIGN = "This came from another site. Open your link again, and go on from there."
_AWAY = "The database does not answer just now, and nothing was done. Try again in a few seconds."
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Fault:
    """A sentence about a field of the form."""

    field: str
    sentence: str


@dataclass(frozen=True, slots=True)
class _Typed:
    name: str = ""
    link: str = ""


class FirstPage:
    """`key` is the token our own tools show to the services; without one there is no link."""

    def __init__(
        self,
        logins: LoginStore,
        keys: ApiKeyStore,
        links_made_with: Callable[[], Sequence[SecretStr]],
        url: HttpUrl | None,
        now: Callable[[], datetime],
    ) -> None:
        self._logins = logins
        self._keys = keys
        self._links_made_with = links_made_with
        self._url = url
        self._now = now
        self._pages = Pages(FOLDER, _ASSETS)
        self.router = APIRouter(include_in_schema=False)
        for path, endpoint, method in (
            (PATH, self.show, "GET"),
            (PATH, self.take, "POST"),
            (f"{_ASSETS}/{{name}}", self._pages.asset, "GET"),
        ):
            self.router.add_api_route(path, endpoint, methods=[method], response_model=None)

    async def show(self) -> Response:
        return self._form(_Typed())

    async def take(self, request: Request) -> Response:
        """The key, once; else the form again, with what was typed and why."""
        async with request.form(max_files=0, max_fields=10) as form:
            typed = _Typed(str(form.get("name", "")).strip()[:_MOST_CHARS], str(form.get("link", "")).strip())
        if not is_own(request, self._url):
            return self._form(typed, Fault("link", _FOREIGN), 403)
        if not typed.name:
            return self._form(typed, Fault("name", _NAMELESS), 422)
        try:
            return await self._admit(typed)
        except DependencyDown:
            return self._form(typed, Fault("link", _AWAY), 503)

    async def _admit(self, typed: _Typed) -> Response:
        keys = [key.get_secret_value() for key in self._links_made_with()]
        invitation = next((found for key in keys if (found := id_in(typed.link, key)) is not None), None)
        if invitation is None:
            return self._form(typed, Fault("link", _USED), 401)
        now = self._now()
        # The key first: a link that is used up and gave none would leave nobody in.
        key, secret = await self._keys.create(
            f"administrator {typed.name}", Scope, now=now, created_by=_CREATED_BY
        )
        if not await self._logins.accept(invitation, now):
            await self._keys.revoke(key.id, now=now)
            return self._form(typed, Fault("link", _USED), 401)
        _log.info("administrator_admitted", key=key.id)
        return self._pages.answer("first_done", name=typed.name, key=secret, key_id=key.id)

    def _form(self, typed: _Typed, fault: Fault | None = None, status: int = 200) -> Response:
        return self._pages.answer(
            "first",
            status,
            headers=OPENED_BY_LINK,
            name=typed.name,
            link=typed.link,
            fault=fault,
            most_chars=_MOST_CHARS,
        )
