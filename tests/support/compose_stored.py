"""Runs in the tools' container: how often each piece of a source is stored, and what MongoDB says it is.

Its text goes over stdin; what it prints is JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter

from shared.settings import CommonSettings, load
from shared.store.connection import Store


async def found() -> dict[str, object]:
    store = Store(load(CommonSettings).mongo)
    await store.start()
    try:
        server = await store.db.command("buildInfo")
        pieces = store.collection("feedback").find({"channel": "rest"}, {"external_id": 1})
        counted = Counter([piece.get("external_id") async for piece in pieces])
    finally:
        await store.stop()
    return {"version": server["version"], "stored": counted}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(found())))
