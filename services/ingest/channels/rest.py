"""`POST /v1/feedback`: one JSON object, a JSON array, or NDJSON. 202 when everything in it is kept."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Mapping
from weakref import WeakValueDictionary

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.ingest.channels.items import Taking
from services.ingest.channels.rest_schema import ROUTE_DOCUMENTATION
from services.ingest.context import ChannelContext
from services.ingest.domain.rest.answer import Answer
from services.ingest.domain.rest.body import Body, read
from services.ingest.settings import IngestSettings
from shared.domain.api_key import ApiKey
from shared.errors import InvalidInput, Reason
from shared.http.access import authenticated, idempotency_key
from shared.store.idempotency import StoredAnswer

PATH = "/v1/feedback"
_JSON = re.compile(r"application/([a-z0-9.-]+\+)?json")
_NDJSON = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl"})
_CHARSETS = frozenset({"utf-8", "utf8", "us-ascii"})


class RestChannel:
    """The door for systems that hold an API key."""

    name = "rest"

    def __init__(self, context: ChannelContext) -> None:
        self._context = context
        self._settings = context.settings.ingest
        self._taking = Taking(context, self.name)
        self.body_limits: Mapping[str, int] = {PATH: self._settings.rest.max_body_bytes}
        self._in_hand: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        router = APIRouter()
        router.add_api_route(PATH, self.receive, methods=["POST"], **ROUTE_DOCUMENTATION)
        self.router: APIRouter | None = router

    @classmethod
    def is_open(cls, settings: IngestSettings) -> bool:  # noqa: ARG003 - without a key nobody gets in anyway
        return True

    async def start(self) -> None:
        """Nothing of its own to start."""

    async def stop(self) -> None:
        """Nothing of its own to stop."""

    def problem(self) -> str | None:
        return None

    async def receive(self, request: Request) -> Response:
        key = authenticated(request.headers, self._context.keys, self._context.now())
        ndjson = _is_ndjson(request.headers.get("content-type", ""))
        retry_key = idempotency_key(request.headers)
        raw = await request.body()
        body = read(raw, ndjson=ndjson, max_items=self._settings.rest.max_items)
        if retry_key is None:
            return _response(await self._taking.take(body, key, _trace(request)))
        # One at a time for each key: two at once would both find that they are the first.
        async with self._in_hand.setdefault(f"{key.id}:{retry_key}", asyncio.Lock()):
            return await self._take_once(body, key, request, retry_key, hashlib.sha256(raw).hexdigest())

    async def _take_once(
        self, body: Body, key: ApiKey, request: Request, retry_key: str, body_hash: str
    ) -> Response:
        earlier = await self._context.idempotency.check(key.id, retry_key, body_hash)
        if earlier is not None:
            return _response(Answer(earlier.status, earlier.body), {"idempotency-replayed": "true"})
        given = await self._taking.take(body, key, _trace(request), f"{key.id}:{retry_key}")
        if given.kept:
            # A request that was refused whole may be mended and sent again under the same key.
            stored = StoredAnswer(given.status, given.body)
            await self._context.idempotency.remember(key.id, retry_key, body_hash, stored)
        return _response(given)


def _trace(request: Request) -> str | None:
    return request.headers.get("traceparent")


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


def _response(given: Answer, headers: Mapping[str, str] | None = None) -> Response:
    return Response(given.body, given.status, headers, given.media_type)
