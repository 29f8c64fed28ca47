"""The HTTP side of ingest: the channels' routes, bounded bodies, errors as problem documents (RFC 9457)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from inspect import signature
from typing import Any

import structlog
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.routing import request_response
from starlette.types import ASGIApp, Receive, Scope, Send

from services.ingest.channels import Channel
from shared.errors import Reason
from shared.http.openapi import declare_keys
from shared.http.server import BodyLimit, behave, by_path
from shared.telemetry.metrics import RECEIVED

_log = structlog.get_logger()


class Doors(FastAPI):
    """Calls the endpoints that read the request themselves without further ado; FastAPI documents them.

    Its way to an endpoint, through eight layers and every route before it, takes a sixth of the time of a
    request with one piece in it.
    """

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401 - FastAPI's own
        super().__init__(**settings)
        self.direct: dict[tuple[str, str], ASGIApp] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self.direct.get((scope["method"], scope["path"])) if scope["type"] == "http" else None
        if app is None:
            await super().__call__(scope, receive, send)
        else:
            # As Starlette's router does: it was a declared path.
            scope["endpoint"] = app
            await app(scope, receive, send)


def create_http(channels: Sequence[Channel]) -> FastAPI:
    """The application with the routes of all `channels`. Its schema is at /openapi.json."""
    app = Doors(
        title="Listening Post: the doors",
        summary="Where feedback comes in. 202 means kept.",
        openapi_url="/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    limits = {path: limit for channel in channels for path, limit in channel.body_limits.items()}
    channel_of = {path: channel.name for channel in channels for path in channel.body_limits}

    def refused(request: Request, reason: Reason) -> None:
        channel = by_path(channel_of, request.url.path, "http")
        RECEIVED.labels(channel, "refused", reason).inc()
        _log.info("request_refused", channel=channel, reason=str(reason))

    behave(app, limits, refused)
    declare_keys(app)
    for channel in channels:
        if channel.router is not None:
            app.include_router(channel.router, tags=[channel.name])
            for route in _direct(channel.router):
                endpoint = ExceptionMiddleware(request_response(route.endpoint), app.exception_handlers)
                app.direct |= {
                    (method, route.path): BodyLimit(endpoint, limits) for method in route.methods or ()
                }
    return app


def _direct(router: APIRouter) -> Iterator[APIRoute]:
    for route in router.routes:
        if isinstance(route, APIRoute) and set(signature(route.endpoint).parameters) == {"request"}:
            yield route
