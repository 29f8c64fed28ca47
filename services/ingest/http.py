"""The HTTP side of ingest: the channels' routes, bounded bodies, errors as problem documents (RFC 9457)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from inspect import signature

import structlog
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.routing import Route

from services.ingest.channels import Channel
from shared.errors import Reason
from shared.http.openapi import declare_keys
from shared.http.server import behave, by_path
from shared.telemetry.metrics import RECEIVED

_log = structlog.get_logger()


def create_http(channels: Sequence[Channel]) -> FastAPI:
    """The application with the routes of all `channels`. Its schema is at /openapi.json."""
    app = FastAPI(
        title="Listening Post: the doors",
        summary="Where feedback comes in. 202 means kept.",
        openapi_url="/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    limits = {path: limit for channel in channels for path, limit in channel.body_limits.items()}
    channel_of = {path: channel.name for channel in channels for path in channel.body_limits}
    for channel in channels:
        if channel.router is not None:
            app.include_router(channel.router, tags=[channel.name])
            app.router.routes[:0] = list(_direct(channel.router))

    def refused(request: Request, reason: Reason) -> None:
        channel = by_path(channel_of, request.url.path, "http")
        RECEIVED.labels(channel, "refused", reason).inc()
        _log.info("request_refused", channel=channel, reason=str(reason))

    behave(app, limits, refused)
    declare_keys(app)
    return app


def _direct(router: APIRouter) -> Iterator[Route]:
    """The routes whose endpoints read the request themselves, for Starlette to serve: FastAPI documents them.

    Its way of calling an endpoint works out parameters that these do not have: a quarter of the time of a
    request with one piece in it.
    """
    for route in router.routes:
        if isinstance(route, APIRoute) and set(signature(route.endpoint).parameters) == {"request"}:
            yield Route(
                route.path, route.endpoint, methods=sorted(route.methods or ()), include_in_schema=False
            )
