"""The real Apache Kafka as a server of a test's own: its log survives a kill, its port stays the same."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

from deploy.embedded.broker import bootstrap_servers
from deploy.embedded.children import Child
from deploy.embedded.mongod import server_environment
from deploy.embedded.output import LineSink
from deploy.embedded.ports import PortLease, lease_port
from deploy.embedded.process import Command
from deploy.embedded.readiness import answers_kafka
from tests.support import network
from tests.support.kafka_jars import KAFKA_VERSION, fetch_jars, java, server_version
from tests.support.kafka_properties import CLUSTER_ID, KafkaNode, node_properties
from tests.support.server import Server, unheard

_JVM = (
    *("-Xms128m", "-Xmx400m", "-XX:+UseSerialGC"),
    # Only the quick compiler: in a broker that lives for a minute the thorough one never pays for itself.
    "-XX:TieredStopAtLevel=1",
    *("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-Djava.awt.headless=true"),
)


class ApacheKafka(Server):
    """One node, broker and controller in one. Raises KafkaUnavailable where Java or Maven is missing.

    A quorum of its own, unless `join` names others before the first start.
    """

    def __init__(self, output: LineSink = unheard, *, version: str = KAFKA_VERSION, node_id: int = 1) -> None:
        self._java = java()
        self._jars = fetch_jars(version)
        super().__init__(output)
        self._controller_lease: PortLease = lease_port()
        self.directory = Path(tempfile.mkdtemp(prefix="listeningpost-kafka-"))
        self.node = KafkaNode(node_id, self.port, self._controller_lease.port, self.directory / "log")
        self._quorum: Sequence[KafkaNode] = [self.node]

    def join(self, quorum: Sequence[KafkaNode]) -> None:
        """`quorum` holds all nodes, this one included."""
        self._quorum = quorum

    @property
    def version(self) -> str:
        return server_version(self._jars)

    @property
    def bootstrap(self) -> str:
        return bootstrap_servers(self.port)

    async def close(self) -> None:
        await super().close()
        self._controller_lease.release()
        shutil.rmtree(self.directory, ignore_errors=True)

    async def start(self) -> None:
        if not self._properties.exists():
            await self._format()
        await super().start()

    def properties(self) -> dict[str, object]:
        """What stands in `server.properties`."""
        return node_properties(self.node, self._quorum)

    def format_arguments(self) -> tuple[str, ...]:
        """What else the storage is formatted with."""
        return ()

    async def _format(self) -> None:
        text = "".join(f"{key}={value}\n" for key, value in self.properties().items())
        self._properties.write_text(text, encoding="utf-8")
        arguments = ("--cluster-id", CLUSTER_ID, "--config", str(self._properties), *self.format_arguments())
        formatting = Child(self._jvm("kafka.tools.StorageTool", "format", *arguments), self._output)
        formatting.start()
        ended = await formatting.wait()
        if ended.returncode != 0:
            raise formatting.death()

    def cut_off(self) -> AbstractContextManager[None]:
        """Within it nobody reaches this node, and it reaches nobody. See `network.missing`."""
        return network.cut_off(self.port, [self.port, self.node.controller_port])

    def _command(self) -> Command:
        command = self._jvm("kafka.Kafka", str(self._properties))
        # Its port is nobody else's, so the group of that number is not either.
        return replace(command, argv=(*network.apart(self.port), *command.argv))

    async def _answers(self) -> bool:
        return await answers_kafka(self.port)

    async def tool(self, main: str, *arguments: str) -> list[str]:
        """What one of Kafka's own commands prints about this node."""
        lines: list[str] = []
        options = ("--bootstrap-server", self.bootstrap, *arguments)
        command = Child(self._jvm(main, *options), lambda _, line: lines.append(line))
        command.start()
        if (await command.wait()).returncode != 0:
            raise command.death()
        return lines

    @property
    def _properties(self) -> Path:
        return self.directory / "server.properties"

    def _jvm(self, main: str, *arguments: str) -> Command:
        argv = (self._java, *_JVM, "-cp", f"{self._jars}/*", main, *arguments)
        return Command("kafka", argv, env=server_environment(), cwd=self.directory)
