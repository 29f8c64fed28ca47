"""The HTTP side of ingest: the channels' routes, bounded bodies, errors as problem documents (RFC 9457)."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from fastapi import FastAPI
from starlette.requests import Request

from services.ingest.channels import Channel
from shared.errors import Reason
from shared.http.server import behave
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

    def refused(request: Request, reason: Reason) -> None:
        channel = channel_of.get(request.url.path, "http")
        RECEIVED.labels(channel, "refused", reason).inc()
        _log.info("request_refused", channel=channel, reason=str(reason))

    behave(app, limits, refused)
    return app
