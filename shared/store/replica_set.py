"""Making a replica set out of one mongod or several that were started with --replSet."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo.errors import OperationFailure

from shared.errors import ConfigurationError, DependencyDown
from shared.store.connection import guard

_ASK_EVERY_S = 0.02
_SELECT_WITHIN_MS = 5_000
# Error codes of the server: src/mongo/base/error_codes.yml
_UNAUTHORIZED = 13  # whoever has users has begun, and is on its way
_ALREADY_INITIALIZED = 23
_NODE_NOT_FOUND = 74
_INVALID_CONFIG = 93
_NOT_YET_INITIALIZED = 94
_ANOTHER_CONFIG = 103
#: Not every member has the configuration before this one yet.
_CHANGING = {109, 308}
#: What stands in the way of a new set for now. A restarted server answers "not yet initialized" until it has
#: read its configuration; another member does not answer yet; or the set is there, and this member, which has
#: lost its data, is going to hear of it.
_NOT_NOW = {_ALREADY_INITIALIZED, _NODE_NOT_FOUND, _ANOTHER_CONFIG}


async def initiate(
    members: str, name: str, *, at: str | None = None, within_s: float = 30.0, first_leads: bool = False
) -> None:
    """The mongods at `members` ("mongo-1:27017,mongo-2:27017") are the replica set `name`, with a primary.

    The first is reached `at` another address where that is given: one that asks for passwords lets nobody
    begin but its own machine. `first_leads`: in a set that is new, no other becomes the primary until
    `let_all_lead`. May be repeated; a set that is there stays, whoever leads it. A set of one whose data were
    made under another port is moved to this one. Raises TimeoutError with what the first said last, and
    DependencyDown where it does not answer.
    """
    hosts = members.split(",")
    client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(
        host=f"mongodb://{at or hosts[0]}/?directConnection=true",
        serverSelectionTimeoutMS=int(within_s * 1_000),
    )
    config, said = _config(hosts, name, first_leads=first_leads), "no primary is elected"
    try:
        with guard():
            async with asyncio.timeout(within_s):
                while not await _has_primary(client, hosts):
                    said = await _configure(client, config) or said
                    await asyncio.sleep(_ASK_EVERY_S)
    except TimeoutError:
        raise TimeoutError(said) from None
    finally:
        client.close()


async def _has_primary(client: AsyncIOMotorClient[dict[str, Any]], hosts: Sequence[str]) -> bool:
    hello: Mapping[str, Any] = await client.admin.command("hello")
    if hello.get("me") != hosts[0]:
        return False
    # One that calls itself the primary may not take writes yet.
    return bool(hello.get("isWritablePrimary")) or hello.get("primary") in hosts[1:]


async def let_all_lead(uri: str) -> None:
    """Each member of the set at `uri` may become the primary. May be repeated. Raises DependencyDown."""
    client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(
        host=uri, serverSelectionTimeoutMS=_SELECT_WITHIN_MS
    )
    try:
        with guard():
            answer: Mapping[str, Any] = await client.admin.command("replSetGetConfig")
            config = dict(answer["config"])
            if all(member["priority"] for member in config["members"]):
                return
            config["members"] = [{**member, "priority": 1} for member in config["members"]]
            config["version"] += 1
            await client.admin.command("replSetReconfig", config)
    except OperationFailure as refusal:
        if refusal.code not in _CHANGING:
            raise
        raise DependencyDown("mongodb", "the replica set is being changed") from refusal
    finally:
        client.close()


def _config(hosts: Sequence[str], name: str, *, first_leads: bool) -> dict[str, Any]:
    others = 0 if first_leads else 1
    members = [
        {"_id": number, "host": host, "priority": others if number else 1}
        for number, host in enumerate(hosts)
    ]
    return {"_id": name, "members": members}


async def _configure(client: AsyncIOMotorClient[dict[str, Any]], wanted: Mapping[str, Any]) -> str | None:
    """One step further, or nothing while the server is on its way by itself. Says what stands in the way."""
    try:
        await client.admin.command("replSetGetStatus")
    except OperationFailure as refusal:
        if refusal.code == _NOT_YET_INITIALIZED:
            return await _create(client, wanted)
        if refusal.code == _INVALID_CONFIG:
            await _move(client, wanted["members"][0]["host"])
        elif refusal.code != _UNAUTHORIZED:
            raise
    return None


async def _create(client: AsyncIOMotorClient[dict[str, Any]], config: Mapping[str, Any]) -> str | None:
    try:
        await client.admin.command("replSetInitiate", dict(config))
    except OperationFailure as refusal:
        if refusal.code not in _NOT_NOW:
            raise
        return str(refusal.details["errmsg"]) if refusal.details else None
    return None


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
