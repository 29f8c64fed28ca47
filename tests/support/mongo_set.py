"""Three mongods as a replica set of a test's own."""

from __future__ import annotations

import asyncio

from motor.motor_asyncio import AsyncIOMotorClient

from deploy.embedded.mongod import REPLICA_SET
from deploy.embedded.ports import LOOPBACK
from shared.store.replica_set import initiate
from tests.support.mongo_server import Mongod
from tests.support.server import Opened

_MEMBERS = 3
_WITHIN_S = 60.0


class MongoSet(Opened):
    """Every member is killed and started again by itself; `start` starts those that do not run."""

    def __init__(self) -> None:
        self.members = tuple(Mongod() for _ in range(_MEMBERS))

    @property
    def uri(self) -> str:
        return f"mongodb://{self._addresses}/?replicaSet={REPLICA_SET}"

    async def start(self) -> None:
        await asyncio.gather(*(member.start() for member in self.members if not member.running))
        await initiate(self._addresses, REPLICA_SET, within_s=_WITHIN_S)

    async def close(self) -> None:
        """By force: one after the other, the last ones would wait for a majority."""
        for member in self.members:
            if member.running:
                member.resume()
            await member.kill()
            await member.close()

    async def primary(self) -> Mongod:
        client: AsyncIOMotorClient[dict[str, object]] = AsyncIOMotorClient(self.uri)
        try:
            hello = await client.admin.command("hello")
        finally:
            client.close()
        port = int(str(hello["primary"]).rpartition(":")[2])
        return next(member for member in self.members if member.port == port)

    @property
    def _addresses(self) -> str:
        return ",".join(f"{LOOPBACK}:{member.port}" for member in self.members)
