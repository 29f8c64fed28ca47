"""A mongod of a test's own: its data survive a kill, and it comes back on the same port."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from deploy.embedded.mongod import REPLICA_SET, find_mongod, mongo_uri, mongod_command, mongod_version
from deploy.embedded.output import LineSink
from deploy.embedded.ports import LOOPBACK
from deploy.embedded.process import Command
from deploy.embedded.readiness import listens
from shared.store.replica_set import initiate
from tests.support.server import Server, unheard


class Mongod(Server):
    """A member of a replica set that somebody else makes."""

    def __init__(self, output: LineSink = unheard) -> None:
        super().__init__(output)
        self._binary = find_mongod()
        self._dbpath = Path(tempfile.mkdtemp(prefix="listeningpost-mongo-"))

    @property
    def version(self) -> str:
        return mongod_version(self._binary)

    async def close(self) -> None:
        await super().close()
        shutil.rmtree(self._dbpath, ignore_errors=True)

    def _command(self) -> Command:
        return mongod_command(self._binary, dbpath=self._dbpath, port=self.port)

    async def _answers(self) -> bool:
        return await listens(self.port)


class MongoServer(Mongod):
    """A replica set of one. `uri` is good for as long as this object is, through every restart."""

    @property
    def uri(self) -> str:
        return mongo_uri(self.port)

    async def start(self) -> None:
        await super().start()
        await initiate(f"{LOOPBACK}:{self.port}", REPLICA_SET, within_s=self.within_s)
