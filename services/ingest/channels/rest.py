"""`POST /v1/feedback`: one JSON object, a JSON array, or NDJSON. 202 when everything in it is kept."""

from __future__ import annotations

import re
from collections.abc import Mapping

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.ingest.channels.items import Taking
from services.ingest.channels.nothing_to_start import NothingToStart
from services.ingest.channels.once import Once
from services.ingest.channels.rest_schema import ROUTE_DOCUMENTATION
from services.ingest.context import ChannelContext
from services.ingest.domain.rest.body import read
from services.ingest.settings import IngestSettings
from shared.errors import InvalidInput, Reason
from shared.http.access import authenticated, idempotency_key

PATH = "/v1/feedback"
_JSON = re.compile(r"application/([a-z0-9.-]+\+)?json")
_NDJSON = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl"})
_CHARSETS = frozenset({"utf-8", "utf8", "us-ascii"})


class RestChannel(NothingToStart):
    """The door for systems that hold an API key."""

    name = "rest"

    def __init__(self, context: ChannelContext) -> None:
        self._context = context
        self._settings = context.settings.ingest
        self._taking = Taking(context, self.name)
        self.body_limits: Mapping[str, int] = {PATH: self._settings.rest.max_body_bytes}
        self._once = Once(context.idempotency)
        router = APIRouter()
        router.add_api_route(PATH, self.receive, methods=["POST"], **ROUTE_DOCUMENTATION)
        self.router: APIRouter | None = router

    @classmethod
    def is_open(cls, settings: IngestSettings) -> bool:  # noqa: ARG003 - without a key nobody gets in anyway
        return True

    async def receive(self, request: Request) -> Response:
        key = authenticated(request.headers, self._context.keys, self._context.now())
        ndjson = _is_ndjson(request.headers.get("content-type", ""))
        retry_key = idempotency_key(request.headers)
        raw = await request.body()
        body = read(raw, ndjson=ndjson, max_items=self._settings.rest.max_items)
        trace = request.headers.get("traceparent")
        scoped = f"{key.id}:{retry_key}" if retry_key is not None else None
        return await self._once.answer(
            key.id, retry_key, raw, lambda: self._taking.take(body, key, trace, scoped)
        )


def _is_ndjson(content_type: str) -> bool:
    """Whether it is NDJSON, not JSON; raises InvalidInput MEDIA_TYPE for anything else, or not UTF-8."""
    media_type, _, parameters = content_type.partition(";")
    media_type = media_type.strip().lower()
    charset = parameters.lower().partition("charset=")[2].partition(";")[0].strip(' "') or "utf-8"
    if charset not in _CHARSETS or not (_JSON.fullmatch(media_type) or media_type in _NDJSON):
        raise InvalidInput(
            Reason.MEDIA_TYPE,
            "the body is announced as something else than JSON or NDJSON in UTF-8",
            remedy="Send Content-Type: application/json, or application/x-ndjson.",
        )
    return media_type in _NDJSON
