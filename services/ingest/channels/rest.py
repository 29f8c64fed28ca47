"""`POST /v1/feedback`: one JSON object, a JSON array, or NDJSON. 202 when everything in it is kept."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Mapping, Sequence
from weakref import WeakValueDictionary

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.ingest.channels.rest_schema import ROUTE_DOCUMENTATION
from services.ingest.context import ChannelContext
from services.ingest.domain.receipt import Receipt
from services.ingest.domain.rest.answer import Answer, answer
from services.ingest.domain.rest.body import Body, read
from services.ingest.domain.rest.convert import Converter
from services.ingest.domain.rest.hints import Remark, has_hints, remarks
from services.ingest.domain.rest.item import Item
from services.ingest.domain.submission import Submission
from services.ingest.settings import IngestSettings
from shared.domain.api_key import ApiKey
from shared.errors import DependencyDown, InvalidInput, Reason
from shared.http.access import authenticated, idempotency_key
from shared.store.idempotency import StoredAnswer
from shared.telemetry.metrics import RECEIVED

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
            return _response(await self._take(body, key, request))
        # One at a time for each key: two at once would both find that they are the first.
        async with self._in_hand.setdefault(f"{key.id}:{retry_key}", asyncio.Lock()):
            return await self._take_once(body, key, request, retry_key, hashlib.sha256(raw).hexdigest())

    async def _take(self, body: Body, key: ApiKey, request: Request, retry_key: str | None = None) -> Answer:
        converter = Converter(
            key=key,
            max_files=self._settings.max_files,
            max_file_bytes=self._settings.max_file_bytes,
            retry_key=retry_key,
            trace=request.headers.get("traceparent"),
        )
        outcomes = [_converted(entry.item, entry.faults, converter) for entry in body.entries]
        submissions = [outcome for outcome in outcomes if isinstance(outcome, Submission)]
        receipts = iter(await self._context.pipeline.accept(submissions) if submissions else ())
        settled = [next(receipts) if isinstance(outcome, Submission) else outcome for outcome in outcomes]
        for outcome in settled:
            if not isinstance(outcome, Receipt):
                RECEIVED.labels(self.name, "rejected", outcome[0].reason).inc()
        return answer(body, settled, self._remarks(body))

    def _remarks(self, body: Body) -> list[list[Remark]]:
        """None while there is no directory: what is kept is not refused for that."""
        if not has_hints(body.entries):
            return []
        try:
            return remarks(body.entries, self._context.directory())
        except DependencyDown:
            return []

    async def _take_once(
        self, body: Body, key: ApiKey, request: Request, retry_key: str, body_hash: str
    ) -> Response:
        earlier = await self._context.idempotency.check(key.id, retry_key, body_hash)
        if earlier is not None:
            return _response(Answer(earlier.status, earlier.body), {"idempotency-replayed": "true"})
        given = await self._take(body, key, request, f"{key.id}:{retry_key}")
        if given.kept:
            # A request that was refused whole may be mended and sent again under the same key.
            stored = StoredAnswer(given.status, given.body)
            await self._context.idempotency.remember(key.id, retry_key, body_hash, stored)
        return _response(given)


def _converted(
    item: Item | None, faults: tuple[InvalidInput, ...], converter: Converter
) -> Submission | Sequence[InvalidInput]:
    if item is None:
        return faults
    try:
        return converter.convert(item)
    except InvalidInput as fault:
        return (fault,)


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
