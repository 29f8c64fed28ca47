"""How our HTTP interfaces take and refuse: bounded bodies, errors as problem documents (RFC 9457)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.errors import DependencyDown, InvalidInput, Reason
from shared.http.document import InvalidDocument
from shared.http.problem import MEDIA_TYPE, problem, status_of

#: Long enough for a leader election, short enough for a sender with a person behind it.
RETRY_AFTER_S = 5
#: Or senders who begin and never end would hold memory for ever.
SILENT_S = 30.0
_DEFAULT_BODY_BYTES = 65_536
Value = TypeVar("Value")


def behave(app: FastAPI, limits: Mapping[str, int], refused: Callable[[Request, Reason], None]) -> None:
    """No body is larger than the limit of its path, and every error is a problem document.

    `refused` is told of each refusal, to count it.
    """

    async def invalid(request: Request, error: Exception) -> Response:
        if not isinstance(error, InvalidInput):
            raise error
        refused(request, error.reason)
        return refusal(error)

    async def unavailable(request: Request, error: Exception) -> Response:
        if not isinstance(error, DependencyDown):
            raise error
        refused(request, Reason.UNREACHABLE)
        return away()

    app.add_middleware(BodyLimit, limits=limits)
    app.add_exception_handler(InvalidInput, invalid)
    app.add_exception_handler(DependencyDown, unavailable)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(ClientDisconnect, _gone)


class BodyLimit:
    """No body over the limit of its path is held in memory, whatever was announced.

    Raises InvalidInput TOO_LARGE where the application reads. The connection stays open, and what is left of
    the body is thrown away as it comes: most senders read the answer only after they have sent everything.
    """

    def __init__(self, app: ASGIApp, limits: Mapping[str, int], *, silent_s: float = SILENT_S) -> None:
        self._app = app
        self._limits = limits
        self._silent_s = silent_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = by_path(self._limits, scope["path"], _DEFAULT_BODY_BYTES)
        announced = dict(scope["headers"]).get(b"content-length", b"")
        size = int(announced) if announced.isdigit() else 0
        counted = 0

        async def bounded() -> Message:
            nonlocal counted
            if size > limit:
                raise _too_large(limit)
            message = await self._next(receive)
            counted += len(message.get("body", b""))
            if counted > limit:
                raise _too_large(limit)
            return message

        await self._app(scope, bounded, send)

    async def _next(self, receive: Receive) -> Message:
        try:
            async with asyncio.timeout(self._silent_s):
                return await receive()
        except TimeoutError:
            raise InvalidInput(
                Reason.MALFORMED,
                f"nothing more of the body came for {self._silent_s:g} s",
                remedy="Send the whole body.",
            ) from None


def by_path(table: Mapping[str, Value], path: str, default: Value) -> Value:
    """What the table has for `path`, else for the folder it is in, whose entry ends with a slash."""
    found = table.get(path)
    return found if found is not None else table.get(path.rpartition("/")[0] + "/", default)


def _too_large(limit: int) -> InvalidInput:
    return InvalidInput(
        Reason.TOO_LARGE,
        f"the body is larger than {limit} bytes",
        remedy="Send less at a time: fewer items, smaller attachments.",
    )


def refusal(error: InvalidInput, headers: Mapping[str, str] | None = None) -> Response:
    """The problem document for what was refused."""
    more = dict(headers or {})
    if error.reason is Reason.UNAUTHENTICATED:
        more["www-authenticate"] = 'Bearer realm="listeningpost"'
    found = error.faults if isinstance(error, InvalidDocument) else (error,)
    return problem_response(found, status_of(error.reason), more)


def away() -> Response:
    """Nothing was done, because what is needed is away; it may be asked for again."""
    fault = InvalidInput(
        Reason.UNREACHABLE,
        "nothing of it was kept, because it cannot be kept safely just now",
        remedy=f"Send the same request again in {RETRY_AFTER_S} s.",
    )
    return problem_response([fault], 503, {"retry-after": str(RETRY_AFTER_S)})


async def _http(_: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    document = {"type": "about:blank", "title": error.detail, "status": error.status_code}
    return JSONResponse(document, error.status_code, error.headers, MEDIA_TYPE)


async def _gone(_: Request, __: Exception) -> Response:
    """Nobody reads this: the sender hung up before its body was complete, so nothing was taken."""
    return Response(status_code=400)


def problem_response(faults: Sequence[InvalidInput], status: int, headers: Mapping[str, str]) -> Response:
    return JSONResponse(problem(faults, status=status), status, headers, MEDIA_TYPE)
