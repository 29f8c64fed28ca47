"""Confidential contributors, encrypted: written when a piece comes in, opened only to answer it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import structlog
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from pydantic import SecretStr
from pymongo.errors import DuplicateKeyError

from shared import clock
from shared.domain.contributor import Contributor
from shared.errors import ConfigurationError, PermanentError, Reason
from shared.store.connection import Store, guard
from shared.store.owners import CONTRIBUTORS

_log = structlog.get_logger()
_HOW = "make one with: openssl rand -base64 32 | tr '+/' '-_'"


class ContributorSeal:
    """Encrypts and decrypts contributors. Whoever holds the key can open all of them."""

    def __init__(self, keys: Callable[[], Sequence[SecretStr]]) -> None:
        """The first of `keys` seals, each opens. Raises ConfigurationError where none is, or one is none."""
        self._keys = keys
        self._made: tuple[Sequence[SecretStr], MultiFernet] | None = None
        self._fernet()

    def _fernet(self) -> MultiFernet:
        keys = self._keys()
        if self._made is not None and self._made[0] == keys:
            return self._made[1]
        variable = "LISTENINGPOST_CONTRIBUTORS_KEY"
        if not keys:
            raise ConfigurationError(f"{variable} is not set; {_HOW}")
        try:
            made = MultiFernet([Fernet(key.get_secret_value()) for key in keys])
        except ValueError:
            if self._made is not None:
                # Who rotates has made a mistake: what held so far goes on, and nobody waits for it.
                _log.error("contributors_key_refused")
                return self._made[1]
            raise ConfigurationError(f"{variable} is no Fernet key; {_HOW}") from None
        self._made = (keys, made)
        return made

    def seal(self, contributor: Contributor) -> bytes:
        return self._fernet().encrypt(contributor.model_dump_json().encode())

    def open(self, sealed: bytes) -> Contributor:
        """Raises PermanentError CONFIGURATION for what was sealed with another key."""
        try:
            return Contributor.model_validate_json(self._fernet().decrypt(sealed))
        except InvalidToken:
            raise PermanentError(Reason.CONFIGURATION, "sealed with another contributors key") from None


class ContributorStore:
    """Sealed contributors by feedback_id."""

    def __init__(self, store: Store) -> None:
        self._collection = store.collection(CONTRIBUTORS.name)

    async def keep(self, feedback_id: str, revision: int, codename: str, sealed: bytes) -> None:
        """The row is that of the highest revision seen. May be repeated. Raises DependencyDown."""
        row = {"revision": revision, "codename": codename, "sealed": sealed, "kept_at": clock.now()}
        try:
            with guard():
                await self._collection.update_one(
                    {"_id": feedback_id, "revision": {"$lte": revision}}, {"$set": row}, upsert=True
                )
        except DuplicateKeyError:
            return  # a newer revision is there

    async def sealed(self, feedback_id: str) -> bytes | None:
        """Raises DependencyDown."""
        with guard():
            row = await self._collection.find_one({"_id": feedback_id}, {"sealed": 1})
        return bytes(row["sealed"]) if row is not None else None

    async def confidential(self, feedback_ids: Sequence[str]) -> set[str]:
        """Those that were given in confidence, at one time or another. Raises DependencyDown."""
        with guard():
            rows = self._collection.find({"_id": {"$in": list(feedback_ids)}}, {"_id": 1})
            return {row["_id"] async for row in rows}

    async def expire(self, before: datetime) -> int:
        """Those sealed before then go; how many. Raises DependencyDown."""
        with guard():
            return (await self._collection.delete_many({"kept_at": {"$lt": before}})).deleted_count

    async def remove(self, *feedback_ids: str) -> int:
        """Nobody can be found behind these any more; how many rows went. Raises DependencyDown."""
        with guard():
            result = await self._collection.delete_many({"_id": {"$in": list(feedback_ids)}})
        return result.deleted_count
