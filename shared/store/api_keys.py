"""API keys at rest (hashed) and in memory (followed): a request costs no query, a revocation no restart.

There is no "last used": ingest may not write here, and a write per request would cost more than the request.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime

from pymongo import ASCENDING

from shared.domain import api_key
from shared.domain.api_key import ApiKey, Scope
from shared.store.connection import Document, Store, guard
from shared.store.follow import Follower
from shared.store.owners import API_KEYS

#: What an unknown id is compared with, so that guessing an id takes as long as guessing a secret.
_NOBODY_HASH = api_key.hash_secret("")


class ApiKeyStore:
    """Written by the console and the command line. All methods raise DependencyDown while MongoDB is away."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def create(
        self,
        name: str,
        scopes: Iterable[Scope],
        *,
        now: datetime,
        source: str | None = None,
        created_by: str = "",
        expires_at: datetime | None = None,
        person: str | None = None,
    ) -> tuple[ApiKey, str]:
        """The new key and its token. This is the only time the token exists outside its owner's hands."""
        secret = secrets.token_hex(32)
        key = ApiKey(
            id=secrets.token_hex(6),
            name=name,
            source=source or name,
            scopes=frozenset(scopes),
            secret_hash=api_key.hash_secret(secret),
            created_at=now,
            created_by=created_by,
            expires_at=expires_at,
            person=person,
        )
        with guard():
            await self._store.collection(API_KEYS.name).insert_one(_document(key))
        return key, f"{api_key.PREFIX}_{key.id}_{secret}"

    async def revoke(self, key_id: str, *, now: datetime) -> bool:
        """The key opens nothing any more, in every replica within 5 s. False when no such key is in force."""
        with guard():
            result = await self._store.collection(API_KEYS.name).update_one(
                {"_id": key_id, "revoked_at": None}, {"$set": {"revoked_at": now}}
            )
        return result.modified_count == 1

    async def list(self) -> list[ApiKey]:
        """Every key, revoked ones too, oldest first."""
        with guard():
            cursor = self._store.collection(API_KEYS.name).find().sort("created_at", ASCENDING)
            return [_key(document) async for document in cursor]


class ApiKeyFollower(Follower[Mapping[str, ApiKey]]):
    """All keys in memory. A Component."""

    def __init__(self, store: Store) -> None:
        self._keys = ApiKeyStore(store)
        super().__init__("api_keys", self._read)

    def check(self, token: str, now: datetime) -> ApiKey | None:
        """The key behind `token` if it is in force, else None. Raises DependencyDown until first loaded."""
        known = self.snapshot
        parts = api_key.split(token)
        if parts is None:
            return None
        key_id, secret = parts
        key = known.get(key_id)
        if key is None:
            secrets.compare_digest(api_key.hash_secret(secret), _NOBODY_HASH)
            return None
        return key if key.opens_with(secret, now) else None

    async def _read(self) -> Mapping[str, ApiKey]:
        return {key.id: key for key in await self._keys.list()}


def _document(key: ApiKey) -> Document:
    return {
        "_id": key.id,
        "name": key.name,
        "source": key.source,
        "scopes": sorted(key.scopes),
        "hash": key.secret_hash,
        "created_at": key.created_at,
        "created_by": key.created_by,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
        "person": key.person,
    }


def _key(document: Document) -> ApiKey:
    return ApiKey(
        id=document["_id"],
        name=document.get("name", ""),
        source=document.get("source") or document.get("name") or document["_id"],
        scopes=frozenset(Scope(scope) for scope in document["scopes"] if scope in set(Scope)),
        secret_hash=document["hash"],
        created_at=document["created_at"],
        created_by=document.get("created_by", ""),
        expires_at=document.get("expires_at"),
        revoked_at=document.get("revoked_at"),
        person=document.get("person"),
    )
