"""Making a replica set out of one mongod or several that were started with --replSet."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo.errors import OperationFailure

from shared.errors import ConfigurationError
from shared.store.connection import guard

_ASK_EVERY_S = 0.02
# Error codes of the server: src/mongo/base/error_codes.yml
_UNAUTHORIZED = 13  # whoever has users has begun, and is on its way
_ALREADY_INITIALIZED = 23
_INVALID_CONFIG = 93
_NOT_YET_INITIALIZED = 94


async def initiate(members: str, name: str, *, at: str | None = None, within_s: float = 30.0) -> None:
    """The mongods at `members` ("mongo-1:27017,mongo-2:27017") are the replica set `name`, with a primary.

    The first is reached `at` another address where that is given: one that asks for passwords lets nobody
    begin but its own machine. May be repeated. A set of one whose data were made under another port is moved
    to this one. Raises TimeoutError, and DependencyDown where the first does not answer.
    """
    hosts = members.split(",")
    client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(
        host=f"mongodb://{at or hosts[0]}/?directConnection=true",
        serverSelectionTimeoutMS=int(within_s * 1_000),
    )
    try:
        with guard():
            async with asyncio.timeout(within_s):
                while not await _has_primary(client, hosts):
                    await _configure(client, hosts, name)
                    await asyncio.sleep(_ASK_EVERY_S)
    finally:
        client.close()


async def _has_primary(client: AsyncIOMotorClient[dict[str, Any]], hosts: Sequence[str]) -> bool:
    hello: Mapping[str, Any] = await client.admin.command("hello")
    if hello.get("me") != hosts[0]:
        return False
    # One that calls itself the primary may not take writes yet.
    return bool(hello.get("isWritablePrimary")) or hello.get("primary") in hosts[1:]


async def _configure(client: AsyncIOMotorClient[dict[str, Any]], hosts: Sequence[str], name: str) -> None:
    """One step further, or nothing while the server is on its way by itself."""
    try:
        await client.admin.command("replSetGetStatus")
    except OperationFailure as refusal:
        if refusal.code == _NOT_YET_INITIALIZED:
            await _create(client, hosts, name)
        elif refusal.code == _INVALID_CONFIG:
            await _move(client, hosts[0])
        elif refusal.code != _UNAUTHORIZED:
            raise


async def _create(client: AsyncIOMotorClient[dict[str, Any]], hosts: Sequence[str], name: str) -> None:
    config = {"_id": name, "members": [{"_id": number, "host": host} for number, host in enumerate(hosts)]}
    try:
        await client.admin.command("replSetInitiate", config)
    except OperationFailure as refusal:
        # A restarted server answers "not yet initialized" until it has read its configuration.
        if refusal.code != _ALREADY_INITIALIZED:
            raise


async def _move(client: AsyncIOMotorClient[dict[str, Any]], host: str) -> None:
    """The data remember the port of their last run, and a server that is not its own member serves nobody."""
    answer: Mapping[str, Any] = await client.admin.command("replSetGetConfig")
    config = dict(answer["config"])
    member, *others = config["members"]
    if others:
        raise ConfigurationError(f"{host} belongs to a replica set of several members, none of which it is")
    config["members"] = [{**member, "host": host}]
    config["version"] += 1
    await client.admin.command("replSetReconfig", config, force=True)
