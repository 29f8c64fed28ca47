"""An installation on three brokers and three members of a replica set, all on this machine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TypeAlias

from shared.settings import KafkaSettings
from tests.chaos.post import ENV, AnyPost, running_on
from tests.load.house import Premises
from tests.support.kafka_cluster import KafkaCluster
from tests.support.mongo_set import MongoSet

#: A majority of three takes longer to write than one does: more at the same time for the same rate.
_ENV = {"LISTENINGPOST_NOTIFIER__SLOTS": "32"}


class ClusterHouse(Premises):
    """Every node can be killed, paused and started again by itself."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self.kafka = KafkaCluster()
        self.mongo = MongoSet()
        kafka = KafkaSettings(bootstrap_servers=self.kafka.bootstrap, replication_factor=3)
        super().__init__(kafka, self.mongo.uri, env={**env, **_ENV})

    async def start_servers(self) -> None:
        for node in (*self.kafka.nodes, *self.mongo.members):
            if node.running:
                node.resume()
        await asyncio.gather(self.kafka.start(), self.mongo.start())
        await self.kafka.healed()

    async def close_servers(self) -> None:
        await self.kafka.close()
        await self.mongo.close()


ClusterPost: TypeAlias = AnyPost[ClusterHouse]


@asynccontextmanager
async def running_cluster() -> AsyncIterator[ClusterPost]:
    async with running_on(ClusterHouse(ENV)) as post:
        yield post
