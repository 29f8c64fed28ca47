"""Requests are counted by the template of their path, and by how they ended."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from fastapi import APIRouter, FastAPI
from prometheus_client import REGISTRY
from starlette.requests import Request
from starlette.responses import Response

from services.ingest.http import Doors
from shared.http.measured import Measured


async def _with_id(thing: str) -> str:
    return thing


async def _plain(_: Request) -> Response:
    return Response(status_code=503)


async def _direct(scope: object, receive: object, send: object) -> None:
    await Response(status_code=202)(scope, receive, send)  # type: ignore[arg-type]


async def _broken(_: Request) -> Response:
    raise ValueError("a fault of ours")


@pytest_asyncio.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    router = APIRouter()
    router.add_api_route("/measured/things/{thing}", _with_id, methods=["GET"])
    app: FastAPI = Doors(openapi_url=None, docs_url=None, redoc_url=None)
    app.include_router(router)
    app.add_route("/measured/plain", _plain)
    app.add_route("/measured/broken", _broken)
    assert isinstance(app, Doors)
    app.direct["GET", "/measured/direct"] = _direct
    transport = httpx.ASGITransport(Measured(app), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://door") as client:
        yield client


def counted(route: str, status: str) -> float:
    labels = {"route": route, "status": status}
    return REGISTRY.get_sample_value("listeningpost_http_request_seconds_count", labels) or 0.0


@pytest.mark.parametrize(
    ("path", "route", "status"),
    [
        ("/measured/things/17", "/measured/things/{thing}", "2xx"),
        ("/measured/plain", "/measured/plain", "5xx"),
        ("/measured/broken", "/measured/broken", "5xx"),
        ("/measured/direct", "/measured/direct", "2xx"),
        ("/wp-admin/setup.php", "unknown", "4xx"),
    ],
)
async def test_a_request_is_one_of_its_template(
    client: httpx.AsyncClient, path: str, route: str, status: str
) -> None:
    before = counted(route, status)
    await client.get(path)
    assert counted(route, status) == before + 1


async def test_failures_are_counted_from_zero(client: httpx.AsyncClient) -> None:
    await client.get("/measured/things/18")
    labels = {"route": "/measured/things/{thing}", "status": "5xx"}
    assert REGISTRY.get_sample_value("listeningpost_http_request_seconds_count", labels) == 0


async def test_who_is_answered_is_in_flight(client: httpx.AsyncClient) -> None:
    await client.get("/measured/plain")
    assert REGISTRY.get_sample_value("listeningpost_http_requests_in_flight") == 0
