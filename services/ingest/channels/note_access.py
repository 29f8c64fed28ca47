"""Who opens the form: a personal link, exchanged once for a cookie that no script and no other site can use.

The link carries its token behind a #, which browsers keep to themselves: it is in no log, no Referer, and no
preview that a chat makes of it. The page it opens sends it back in the body of a POST.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from starlette.requests import Request
from starlette.responses import Response

from services.ingest.context import ChannelContext
from shared.domain.api_key import ApiKey, Scope
from shared.domain.directory import Directory
from shared.domain.person import Person
from shared.http.same_origin import is_own

COOKIE = "listeningpost_note"
COOKIE_PATH = "/notes"
_TOKEN = re.compile(r"lp_[0-9a-f]{12}_[0-9a-f]{64}")
_LONGEST = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Reader:
    """The colleague in front of the form. `token` is what they were let in with."""

    key: ApiKey
    person: Person
    token: str


class Access:
    """Lets colleagues in."""

    def __init__(self, context: ChannelContext) -> None:
        self._context = context
        self._public_url = context.settings.public_url

    def reader(self, request: Request, directory: Directory) -> Reader | None:
        """Whoever bears a cookie that is in force, else None."""
        return self.known(request.cookies.get(COOKIE, ""), directory)

    def known(self, token: str, directory: Directory) -> Reader | None:
        """Whose `token` it is, if it may write notes and its colleague is still there."""
        key = self._context.keys.check(token, self._context.now())
        if key is None or Scope.NOTES not in key.scopes or key.person is None:
            return None
        person = directory.people.get(key.person)
        return Reader(key, person, token) if person is not None else None

    def admit(self, response: Response, reader: Reader, request: Request) -> None:
        """The browser keeps the token for as long as it is in force."""
        lasts = min(_left(reader.key, self._context.now()), _LONGEST)
        response.set_cookie(
            COOKIE,
            reader.token,
            max_age=int(lasts.total_seconds()),
            path=COOKIE_PATH,
            secure=self._is_secure(request),
            httponly=True,
            samesite="strict",
        )

    def forget(self, response: Response, request: Request) -> None:
        response.delete_cookie(
            COOKIE, path=COOKIE_PATH, secure=self._is_secure(request), httponly=True, samesite="strict"
        )

    def is_own(self, request: Request) -> bool:
        """Whether a page of ours sent this request."""
        return is_own(request, self._public_url)

    def _is_secure(self, request: Request) -> bool:
        return "https" in {request.url.scheme, self._public_url.scheme if self._public_url else ""}


def token_in(pasted: str) -> str:
    """The token of a link, or the token alone, with whatever is around it; empty where there is none."""
    found = _TOKEN.search(pasted)
    return found[0] if found else ""


def _left(key: ApiKey, now: datetime) -> timedelta:
    return key.expires_at - now if key.expires_at is not None else _LONGEST
