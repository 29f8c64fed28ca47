"""The embedded broker as a server of a test's own. A kill or a stop loses every topic: it keeps nothing."""

from __future__ import annotations

from deploy.embedded.broker import bootstrap_servers, find_tansu, tansu_command, tansu_version
from deploy.embedded.output import LineSink
from deploy.embedded.process import Command
from deploy.embedded.readiness import answers_kafka
from tests.support.server import Server, unheard


class EmbeddedBroker(Server):
    def __init__(self, output: LineSink = unheard) -> None:
        super().__init__(output)
        self._binary = find_tansu()

    @property
    def version(self) -> str:
        return tansu_version(self._binary)

    @property
    def bootstrap(self) -> str:
        return bootstrap_servers(self.port)

    def _command(self) -> Command:
        return tansu_command(self._binary, port=self.port)

    async def _answers(self) -> bool:
        return await answers_kafka(self.port)
