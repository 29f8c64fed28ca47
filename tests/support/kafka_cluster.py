"""Three Apache Kafka nodes as a cluster of a test's own: three copies, of which two must have a record."""

from __future__ import annotations

import asyncio
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from tests.support.apache_kafka import ApacheKafka
from tests.support.server import Opened
from tests.support.wait import until

_NODES = 3
_HEALED_WITHIN_S = 90.0


class KafkaCluster(Opened):
    """Every node is killed and started again by itself; `start` starts those that do not run."""

    def __init__(self) -> None:
        self.nodes = tuple(ApacheKafka(node_id=number) for number in range(1, _NODES + 1))
        for node in self.nodes:
            node.join([each.node for each in self.nodes])

    @property
    def bootstrap(self) -> str:
        return ",".join(node.bootstrap for node in self.nodes)

    async def start(self) -> None:
        """Returns when each node answers."""
        # At the same time: alone, a node waits for a majority.
        await asyncio.gather(*(node.start() for node in self.nodes if not node.running))

    async def close(self) -> None:
        """Stopped for good. By force: node after node, the last ones would wait for a majority."""
        for node in self.nodes:
            if node.running:
                node.resume()
            await node.kill()
            await node.close()

    async def leader(self, topic: str, partition: int = 0) -> ApacheKafka:
        """The node that leads a partition."""
        [described] = await self._described([topic])
        numbers: dict[int, int] = {entry["partition"]: entry["leader"] for entry in described["partitions"]}
        return self.nodes[numbers[partition] - 1]

    async def coordinator(self, group: str) -> ApacheKafka:
        """The node that keeps a group together."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            number: int = await admin.find_coordinator(group)
        finally:
            await admin.close()
        return self.nodes[number - 1]

    async def healed(self) -> None:
        """Returns when every copy of every partition is in sync again."""
        await until(self._in_sync, within_s=_HEALED_WITHIN_S, what="every copy is in sync")

    async def _in_sync(self) -> bool:
        try:
            described = await self._described(None)
        except (KafkaError, OSError):
            return False
        behind = [
            f"{topic['topic']}/{entry['partition']}"
            for topic in described
            for entry in topic["partitions"]
            if len(entry["isr"]) < _NODES
        ]
        assert not behind, behind
        return True

    async def _described(self, topics: list[str] | None) -> list[dict[str, Any]]:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            found: list[dict[str, Any]] = await admin.describe_topics(topics)
        finally:
            await admin.close()
        return found
