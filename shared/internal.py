"""`/internal/…`: what our own tools ask of a service, opened by the service token and by nothing else.

Without a token in the settings nothing is answered: a default would be everybody's.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeAlias

from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from shared.errors import DependencyDown, InvalidInput, Reason

#: Takes the raw body, answers what becomes JSON. Raises InvalidInput and DependencyDown.
Answering: TypeAlias = Callable[[bytes], Awaitable[object]]
#: Asked for at each request: they may be rotated meanwhile.
Tokens: TypeAlias = Callable[[], Sequence[SecretStr]]
#: More than an event can have, and all it may hold in memory.
MAX_BODY_BYTES = 1_048_576
_MEDIA_TYPE = "application/problem+json"
_VARIABLE = "LISTENINGPOST_INTERNAL_TOKEN"


def open_internal(http: Starlette, tokens: Tokens, routes: Mapping[str, Answering]) -> None:
    """Each of `routes` ("GET /internal/doors") is answered to who shows one of `tokens`; OpenAPI has none."""
    for route, answering in routes.items():
        method, _, path = route.partition(" ")
        http.add_route(path, _endpoint(tokens, answering), methods=[method], include_in_schema=False)


def _endpoint(tokens: Tokens, answering: Answering) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        refused = _refusal(tokens(), request.headers.get("authorization", ""))
        if refused is not None:
            return refused
        try:
            return JSONResponse(await answering(await _body(request)))
        except InvalidInput as error:
            return _problem(
                413 if error.reason is Reason.TOO_LARGE else 422, error.detail, error.remedy, error.field
            )
        except DependencyDown as error:
            return _problem(503, str(error), "Ask again once it is back.")

    return endpoint


def _refusal(tokens: Sequence[SecretStr], authorization: str) -> Response | None:
    """Said before the body is read. What was shown is compared in a time that tells nothing."""
    expected = [token.get_secret_value().encode() for token in tokens if token.get_secret_value()]
    if not expected:
        return _problem(
            403, "this service has no token for tools", f"Set {_VARIABLE} for it and for the tools."
        )
    scheme, _, shown = authorization.partition(" ")
    fits = [secrets.compare_digest(shown.strip().encode(), token) for token in expected]
    if scheme.lower() != "bearer" or not any(fits):
        remedy = f"Show the token of {_VARIABLE}, the same as the service's."
        return _problem(401, "the token is missing or not the one of this service", remedy)
    return None


async def _body(request: Request) -> bytes:
    """Raises InvalidInput TOO_LARGE before more than the bound is held."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise InvalidInput(
                Reason.TOO_LARGE, f"the body is larger than {MAX_BODY_BYTES} bytes", remedy="Send less text."
            )
    return bytes(body)


def _problem(status: int, detail: str, remedy: str, field: str = "") -> Response:
    """RFC 9457."""
    document = {"type": "about:blank", "status": status, "detail": detail, "remedy": remedy}
    headers = {"www-authenticate": "Bearer"} if status == 401 else None  # noqa: PLR2004 - HTTP's own number
    return JSONResponse(document | ({"field": field} if field else {}), status, headers, _MEDIA_TYPE)
