"""Who may come into a mongod that asks for names: an administrator, and the services under one name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo.errors import OperationFailure

from shared.store.connection import guard

ADMINISTRATOR = "root"
SERVICES = "listeningpost"
_ASK_WITHIN_MS = 5_000
# Error codes of the server: src/mongo/base/error_codes.yml
_AUTHENTICATION_FAILED = 18
_USER_ALREADY_EXISTS = 51_003


@dataclass(frozen=True, slots=True)
class Passwords:
    administrator: str
    services: str

    def administrator_uri(self, members: str, name: str) -> str:
        """Of the replica set `name`, for somebody who may do everything."""
        return f"mongodb://{ADMINISTRATOR}:{quote_plus(self.administrator)}@{members}/?replicaSet={name}"


async def ensure_users(members: str, name: str, at: str, passwords: Passwords, database: str) -> None:
    """Both users exist with these passwords; the services' may do what they have to in `database` alone.

    `members` ("mongo-1:27017,mongo-2:27017") are the replica set `name`. The first, which has to be the
    primary as long as there are no users, is `at` this address ("127.0.0.1:27017") on its own machine: there,
    and there alone, the first user may be made without one. May be repeated. Raises DependencyDown.
    """
    known = passwords.administrator_uri(members, name)
    # dbAdmin: migrations change what a collection demands of its documents.
    roles = [{"role": role, "db": database} for role in ("readWrite", "dbAdmin")]
    with guard():
        try:
            await _make(known, SERVICES, passwords.services, roles)
        except OperationFailure as refusal:
            if refusal.code != _AUTHENTICATION_FAILED:
                raise
            unknown = f"mongodb://{at}/?directConnection=true"
            await _make(unknown, ADMINISTRATOR, passwords.administrator, ["root"])
            await _make(known, SERVICES, passwords.services, roles)


async def _make(uri: str, user: str, password: str, roles: Sequence[object]) -> None:
    client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(
        host=uri, serverSelectionTimeoutMS=_ASK_WITHIN_MS
    )
    try:
        try:
            await client.admin.command("createUser", user, pwd=password, roles=roles)
        except OperationFailure as refusal:
            if refusal.code != _USER_ALREADY_EXISTS:
                raise
            await client.admin.command("updateUser", user, pwd=password, roles=roles)
    finally:
        client.close()
