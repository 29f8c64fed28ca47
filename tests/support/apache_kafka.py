"""The real Apache Kafka as a server of a test's own: its log survives a kill, its port stays the same."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from deploy.embedded.broker import bootstrap_servers
from deploy.embedded.children import Child
from deploy.embedded.mongod import server_environment
from deploy.embedded.output import LineSink
from deploy.embedded.ports import PortLease, lease_port
from deploy.embedded.process import Command
from deploy.embedded.readiness import answers_kafka
from tests.support.kafka_jars import KAFKA_VERSION, fetch_jars, java, server_version
from tests.support.kafka_properties import KafkaNode, node_properties
from tests.support.server import Server, unheard

_NODE_ID = 1
# 16 bytes in URL-safe base64. Always the same: of random ones every 64th starts with "-", like an option.
_CLUSTER_ID = "bGlzdGVuaW5ncG9zdC0wMQ"
_JVM = (
    *("-Xms128m", "-Xmx400m", "-XX:+UseSerialGC"),
    # Only the quick compiler: in a broker that lives for a minute the thorough one never pays for itself.
    "-XX:TieredStopAtLevel=1",
    *("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-Djava.awt.headless=true"),
)


class ApacheKafka(Server):
    """One node, broker and controller in one. Raises KafkaUnavailable where Java or Maven is missing."""

    def __init__(self, output: LineSink = unheard, *, version: str = KAFKA_VERSION) -> None:
        self._java = java()
        self._jars = fetch_jars(version)
        super().__init__(output)
        self._controller_lease: PortLease = lease_port()
        self._directory = Path(tempfile.mkdtemp(prefix="listeningpost-kafka-"))

    @property
    def version(self) -> str:
        return server_version(self._jars)

    @property
    def bootstrap(self) -> str:
        return bootstrap_servers(self.port)

    async def close(self) -> None:
        await super().close()
        self._controller_lease.release()
        shutil.rmtree(self._directory, ignore_errors=True)

    async def start(self) -> None:
        if not self._properties.exists():
            await self._format()
        await super().start()

    async def _format(self) -> None:
        node = KafkaNode(_NODE_ID, self.port, self._controller_lease.port, self._directory / "log")
        self._properties.write_text(node_properties(node, [node]), encoding="utf-8")
        arguments = ("format", "--cluster-id", _CLUSTER_ID, "--config", str(self._properties))
        formatting = Child(self._jvm("kafka.tools.StorageTool", *arguments), self._output)
        formatting.start()
        ended = await formatting.wait()
        if ended.returncode != 0:
            raise formatting.death()

    def _command(self) -> Command:
        return self._jvm("kafka.Kafka", str(self._properties))

    async def _answers(self) -> bool:
        return await answers_kafka(self.port)

    @property
    def _properties(self) -> Path:
        return self._directory / "server.properties"

    def _jvm(self, main: str, *arguments: str) -> Command:
        argv = (self._java, *_JVM, "-cp", f"{self._jars}/*", main, *arguments)
        return Command("kafka", argv, env=server_environment(), cwd=self._directory)
