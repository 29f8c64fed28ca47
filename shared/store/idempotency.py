"""Answers by idempotency key, for 24 hours: a retry gets the answer it missed, another body is refused.

Source: draft-ietf-httpapi-idempotency-key-header. This saves work and tells conflicts; that a retry is no
second piece is not its doing but the feedback_id's, which comes of the same key.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from pymongo.errors import DuplicateKeyError

from shared import clock, ids
from shared.breaker import Breaker
from shared.errors import DependencyDown, InvalidInput, PermanentError, Reason
from shared.store.connection import Document, Store
from shared.store.faults import document_or_server
from shared.store.owners import IDEMPOTENCY

KEPT_FOR = timedelta(hours=24)
_OVERHEAD_BYTES = 500  # keys, hash and objects of one entry in memory
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """What was answered: HTTP status and body."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class _Entry:
    body_hash: str
    answer: StoredAnswer
    expires_at: datetime

    @property
    def size_bytes(self) -> int:
        return len(self.answer.body) + _OVERHEAD_BYTES


class IdempotencyStore:
    """Answers by (scope, key); `scope` is the API key's id.

    While MongoDB is away the latest answers of this process stand in (`max_remembered_bytes` of them): a
    retry that reaches another replica is then handled anew, which ends in the same pieces, and a conflict
    there goes unnoticed.
    """

    def __init__(
        self,
        store: Store,
        *,
        within_s: float = 2.0,
        max_remembered_bytes: int = 16 * 1_048_576,
        now: Callable[[], datetime] = clock.now,
    ) -> None:
        self._collection = store.collection(IDEMPOTENCY.name)
        self._breaker = Breaker("mongodb", within_s=within_s)
        self._max_remembered_bytes = max_remembered_bytes
        self._now = now
        self._recent: OrderedDict[str, _Entry] = OrderedDict()
        self._recent_bytes = 0

    async def check(self, scope: str, key: str, body_hash: str) -> StoredAnswer | None:
        """The answer this request had before; None for a new one.

        Raises InvalidInput IDEMPOTENCY_CONFLICT when the key was used for another body.
        """
        entry = await self._find(_id(scope, key))
        if entry is None or entry.expires_at <= self._now():
            return None
        if entry.body_hash != body_hash:
            raise InvalidInput(
                Reason.IDEMPOTENCY_CONFLICT,
                "this idempotency key was used for another body",
                field="Idempotency-Key",
                remedy="Use a new key for a new request.",
            )
        return entry.answer

    async def remember(self, scope: str, key: str, body_hash: str, answer: StoredAnswer) -> None:
        """A retry will get `answer`. Where the store is away only this process knows it; that is no error."""
        entry = _Entry(body_hash, answer, self._now() + KEPT_FOR)
        entry_id = _id(scope, key)
        self._keep_in_memory(entry_id, entry)
        try:
            async with self._breaker.attempt():
                await self._insert(entry_id, entry)
        except (DependencyDown, PermanentError) as error:
            _log.warning("idempotency_kept_in_memory", error=str(error))

    def _keep_in_memory(self, entry_id: str, entry: _Entry) -> None:
        replaced = self._recent.pop(entry_id, None)
        self._recent_bytes += entry.size_bytes - (replaced.size_bytes if replaced else 0)
        self._recent[entry_id] = entry
        while self._recent_bytes > self._max_remembered_bytes:
            self._recent_bytes -= self._recent.popitem(last=False)[1].size_bytes

    async def _find(self, entry_id: str) -> _Entry | None:
        recent = self._recent.get(entry_id)
        if recent is not None:
            return recent
        try:
            async with self._breaker.attempt():
                with document_or_server():
                    row = await self._collection.find_one({"_id": entry_id})
        except DependencyDown:
            return None
        return _entry(row) if row is not None else None

    async def _insert(self, entry_id: str, entry: _Entry) -> None:
        row = {
            "_id": entry_id,
            "body_hash": entry.body_hash,
            "status": entry.answer.status,
            "body": entry.answer.body,
            "expires_at": entry.expires_at,
        }
        with document_or_server():
            try:
                await self._collection.insert_one(row)
            except DuplicateKeyError:
                return  # another replica answered the same request at the same time


def _id(scope: str, key: str) -> str:
    return ids.digest(scope.encode(), key.encode("utf-8", "surrogatepass"))


def _entry(row: Document) -> _Entry:
    return _Entry(
        row["body_hash"], StoredAnswer(row["status"], bytes(row["body"])), expires_at=row["expires_at"]
    )
