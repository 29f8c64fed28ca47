"""A script: a service with one migration of its own, which stops half way until the test lets it go on.

It writes who is at it into `runs`, changes every document of `papers` that has no `size` yet, and before the
second half waits for a document in `gate`. `LEASE_S` in the environment is how long a lease lasts.
"""

from __future__ import annotations

import os

from shared import service
from shared.settings import CommonSettings
from shared.store.connection import Database, Store
from shared.store.migrations import Migration, Migrator
from tests.support.wait import until

PAPERS = 40
NUMBER = 9_001


async def _measure(db: Database) -> None:
    await db["runs"].insert_one({"pid": os.getpid()})
    change = {"size": {"$strLenCP": "$text"}, "changes": {"$add": [{"$ifNull": ["$changes", 0]}, 1]}}
    while await db["papers"].count_documents({"size": {"$exists": False}}):
        if await db["papers"].count_documents({"size": {"$exists": True}}) == PAPERS / 2:
            await until(lambda: db["gate"].find_one({}), within_s=60, what="the test lets us go on")
        await db["papers"].update_one({"size": {"$exists": False}}, [{"$set": change}])


def create_app(settings: CommonSettings) -> service.Service:
    store = Store(settings.mongo)
    steps = (Migration(NUMBER, "every paper knows its size", _measure),)
    migrator = Migrator(store, steps, lease_s=float(os.environ["LEASE_S"]))
    return service.Service("migrating", settings, [store, migrator])


if __name__ == "__main__":
    service.run(create_app, CommonSettings)
