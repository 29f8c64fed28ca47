"""Runs in a container of ours: what MongoDB and Kafka hold of the pieces that came through the REST door.

Its text goes over stdin, which parts are asked for stands behind it; what it prints is JSON. It looks through
the product's own modules alone, since nothing else is in there.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClient

from shared.bus.admin import admin_client
from shared.bus.condition import lags
from shared.bus.dead_letters import list_dead_letters
from shared.events.topics import RECEIVED
from shared.settings import CommonSettings, load
from shared.store.connection import Store

_SELECT_WITHIN_MS = 2_000
_MINE = {"channel": "rest"}


async def version(settings: CommonSettings, store: Store) -> object:
    return (await store.db.command("buildInfo"))["version"]


async def ids(settings: CommonSettings, store: Store) -> object:
    return [piece["_id"] async for piece in store.collection("feedback").find(_MINE, {"_id": 1})]


async def pieces(settings: CommonSettings, store: Store) -> object:
    found = store.collection("feedback").find(_MINE, {"external_id": 1, "text": 1})
    return [{"id": one["_id"], "name": one.get("external_id"), "text": one["text"]} async for one in found]


async def deliveries(settings: CommonSettings, store: Store) -> object:
    rows = store.collection("deliveries").find({}, {"feedback_id": 1, "state": 1, "urgent": 1})
    return [row async for row in rows]


async def letters(settings: CommonSettings, store: Store) -> object:
    found = list_dead_letters(settings.kafka)
    return [{"key": letter.key, "why": f"{letter.reason} {letter.error}"} async for letter in found]


async def waiting(settings: CommonSettings, store: Store) -> object:
    """By topic and group, how many events are not read."""
    return {f"{lag.topic} {lag.group}": lag.behind for lag in await lags(settings.kafka) if lag.behind}


async def brokers(settings: CommonSettings, store: Store) -> object:
    """The id of the one that leads the first partition; the partitions whose copies are not all in sync."""
    async with admin_client(settings.kafka) as admin:
        topics = await admin.describe_topics(None)
    entries = {f"{topic['topic']}/{one['partition']}": one for topic in topics for one in topic["partitions"]}
    behind = [name for name, entry in entries.items() if len(entry["isr"]) < len(entry["replicas"])]
    return {"leader": entries[f"{RECEIVED.name}/0"]["leader"], "behind": behind}


async def members(settings: CommonSettings, store: Store) -> object:
    """By host, what each member is: primary, secondary, or neither yet."""
    hosts = (await store.db.command("hello"))["hosts"]
    return {host.partition(":")[0]: await _part(host) for host in hosts}


async def _part(host: str) -> str:
    client: AsyncIOMotorClient[Mapping[str, Any]] = AsyncIOMotorClient(
        f"mongodb://{host}/?directConnection=true", serverSelectionTimeoutMS=_SELECT_WITHIN_MS
    )
    try:
        # Nobody needs a name to ask for this.
        hello = await client.admin.command("hello")
    finally:
        client.close()
    parts = {"primary": hello.get("isWritablePrimary"), "secondary": hello.get("secondary")}
    return next((name for name, it_is in parts.items() if it_is), "neither")


_PARTS: Mapping[str, Callable[[CommonSettings, Store], Awaitable[object]]] = {
    part.__name__: part for part in (version, ids, pieces, deliveries, letters, waiting, brokers, members)
}


async def found(wanted: list[str]) -> dict[str, object]:
    settings = load(CommonSettings)
    store = Store(settings.mongo)
    try:
        return {name: await _PARTS[name](settings, store) for name in wanted}
    finally:
        await store.stop()


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(found(sys.argv[1:]))))
