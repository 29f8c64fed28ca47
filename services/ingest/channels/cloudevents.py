"""`POST /v1/channels/cloudevents`: CloudEvents 1.0, binary, structured, batched. 202 when all of it is kept.

Sources: CloudEvents HTTP protocol binding; "HTTP 1.1 Web Hooks for Event Delivery" (the handshake).
"""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.ingest.channels.items import Taking
from services.ingest.channels.nothing_to_start import NothingToStart
from services.ingest.context import ChannelContext
from services.ingest.domain.cloudevents import EventItems, read
from services.ingest.domain.rest.body import Body
from services.ingest.settings import IngestSettings
from shared.domain.directory import Directory
from shared.errors import DependencyDown
from shared.http.access import authenticated

CHANNEL = "cloudevents"
PATH = "/v1/channels/cloudevents"


class CloudEventsChannel(NothingToStart):
    """The door for systems that speak CloudEvents and hold an API key."""

    name = CHANNEL

    def __init__(self, context: ChannelContext) -> None:
        self._context = context
        self._settings = context.settings.ingest
        self._compiled: tuple[Directory, EventItems] | None = None
        self._taking = Taking(context, CHANNEL)
        self.body_limits: Mapping[str, int] = {PATH: self._settings.rest.max_body_bytes}
        router = APIRouter()
        router.add_api_route(
            PATH, self.receive, methods=["POST"], summary="CloudEvents 1.0", response_model=None
        )
        router.add_api_route(
            PATH,
            self.shake_hands,
            methods=["OPTIONS"],
            summary="The handshake of webhooks",
            response_model=None,
        )
        self.router: APIRouter | None = router

    @classmethod
    def is_open(cls, settings: IngestSettings) -> bool:  # noqa: ARG003 - without a key nobody gets in anyway
        return True

    async def receive(self, request: Request) -> Response:
        key = authenticated(request.headers, self._context.keys, self._context.now())
        raw = await request.body()
        body = self._read(request.headers, raw)
        given = await self._taking.take(body, key, request.headers.get("traceparent"))
        return Response(given.body, given.status, media_type=given.media_type)

    def _read(self, headers: Mapping[str, str], raw: bytes) -> Body:
        """Raises DependencyDown while there is no directory, where what is no item could have a mapping."""
        most = self._settings.rest.max_items
        try:
            items = self._items()
        except DependencyDown:
            body = read(headers, raw, max_items=most)
            if any(entry.item is None for entry in body.entries):
                raise
            return body
        return read(headers, raw, max_items=most, items=items)

    def _items(self) -> EventItems:
        directory = self._context.directory()
        if self._compiled is None or self._compiled[0] is not directory:
            self._compiled = (directory, EventItems(directory.workspace.cloudevents))
        return self._compiled[1]

    async def shake_hands(self, request: Request) -> Response:
        """Unauthenticated, as the specification has it: it gives nothing away, and events need a key."""
        origin = request.headers.get("webhook-request-origin")
        if origin is None:
            return Response(status_code=200, headers={"allow": "POST, OPTIONS"})
        rate = request.headers.get("webhook-request-rate", "*")
        granted = rate if rate.isascii() and rate.isdigit() else "*"
        headers = {
            "allow": "POST, OPTIONS",
            "webhook-allowed-origin": origin,
            "webhook-allowed-rate": granted,
        }
        return Response(status_code=200, headers=headers)
