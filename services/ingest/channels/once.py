"""A request that is repeated under its Idempotency-Key gets the answer it had, and is done once."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from weakref import WeakValueDictionary

from starlette.responses import Response

from services.ingest.domain.rest.answer import Answer
from shared.store.idempotency import IdempotencyStore, StoredAnswer


class Once:
    """Of one door."""

    def __init__(self, answers: IdempotencyStore) -> None:
        self._answers = answers
        self._in_hand: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def answer(
        self, scope: str, key: str | None, raw: bytes, take: Callable[[], Awaitable[Answer]]
    ) -> Response:
        """What `take` answers, or had answered to this `key` of this `scope` (an API key's id) before.

        Raises InvalidInput IDEMPOTENCY_CONFLICT for the same key with another body. A request that was
        refused whole may be mended and sent again under its key.
        """
        if key is None:
            return _response(await take())
        # One at a time for each key: two at once would both find that they are the first.
        async with self._in_hand.setdefault(f"{scope}:{key}", asyncio.Lock()):
            body_hash = hashlib.sha256(raw).hexdigest()
            earlier = await self._answers.check(scope, key, body_hash)
            if earlier is not None:
                return _response(Answer(earlier.status, earlier.body), replayed=True)
            given = await take()
            if given.kept:
                await self._answers.remember(scope, key, body_hash, StoredAnswer(given.status, given.body))
            return _response(given)


def _response(given: Answer, *, replayed: bool = False) -> Response:
    headers = {"idempotency-replayed": "true"} if replayed else None
    return Response(given.body, given.status, headers, given.media_type)
