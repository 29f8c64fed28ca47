"""The HTTP side of the console: APIs and pages, bounded bodies, errors as problem documents (RFC 9457)."""

from __future__ import annotations

import structlog
from fastapi import APIRouter, FastAPI
from starlette.requests import Request

from services.console.api.accounts import AccountsApi
from shared.errors import Reason
from shared.http.openapi import declare_keys
from shared.http.server import behave
from shared.telemetry.metrics import API_REQUESTS

_log = structlog.get_logger()


def create_http(accounts: AccountsApi, *pages: APIRouter) -> FastAPI:
    """The application. Its schema is at /openapi.json."""
    app = FastAPI(
        title="Listening Post: the console's API",
        summary="What programs read and change of the directory.",
        openapi_url="/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.include_router(accounts.router)
    for router in pages:
        app.include_router(router)
    behave(app, accounts.body_limits, _refused)
    declare_keys(app)
    return app


def _refused(_: Request, reason: Reason) -> None:
    API_REQUESTS.labels("refused", reason).inc()
    _log.info("request_refused", reason=str(reason))
