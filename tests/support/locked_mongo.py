"""mongods that ask for names when nobody has one yet, as the compose file starts them."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import replace
from pathlib import Path

from motor.motor_asyncio import AsyncIOMotorClient
from pydantic import SecretStr

from deploy.docker.prepare import REPLICA_SET, Members
from deploy.embedded.ports import LOOPBACK
from deploy.embedded.process import Command
from shared.settings import CommonSettings, MongoSettings
from shared.store import users
from tests.support.mongo_server import Mongod
from tests.support.server import Opened

_ADMINISTRATOR = "of the administrator"


class LockedMongo(Mongod):
    """Its member has another address than its own machine. Not `alone`: who asks is on another machine."""

    def __init__(self, key_file: Path, *, alone: bool = True) -> None:
        super().__init__()
        self._key_file = key_file
        self._alone = alone

    @property
    def address(self) -> str:
        return f"localhost:{self.port}"

    @property
    def members(self) -> Members:
        return Members(self.address, f"{LOOPBACK}:{self.port}", _ADMINISTRATOR)

    def settings(self, password: str) -> CommonSettings:
        return _settings(self.address, password)

    def lose_everything(self) -> None:
        """Only while it does not run: it starts without data."""
        shutil.rmtree(self._dbpath)
        self._dbpath.mkdir()

    def _command(self) -> Command:
        command = super()._command()
        # Whoever has no name yet is let in from the server's own machine alone, which here is every one's.
        stranger = () if self._alone else ("--setParameter", "enableLocalhostAuthBypass=false")
        return replace(command, argv=(*command.argv, "--keyFile", str(self._key_file), *stranger))


class LockedSet(Opened):
    """Three, of which the first alone lets somebody in who has no name yet."""

    def __init__(self, key_file: Path) -> None:
        self.key_file = key_file
        self.nodes = tuple(LockedMongo(key_file, alone=number == 0) for number in range(3))

    @property
    def members(self) -> Members:
        return replace(self.nodes[0].members, hosts=self._addresses)

    def settings(self, password: str) -> CommonSettings:
        return _settings(self._addresses, password)

    async def start(self) -> None:
        await asyncio.gather(*(node.start() for node in self.nodes if not node.running))

    async def close(self) -> None:
        """By force: one after the other, the last ones would wait for a majority."""
        for node in self.nodes:
            await node.kill()
            await node.close()

    async def step_up(self, node: LockedMongo) -> None:
        """It becomes the primary if it may, else OperationFailure; asked under the name members have."""
        key = self.key_file.read_text(encoding="utf-8").strip()
        uri = f"mongodb://{node.address}/?directConnection=true"
        client: AsyncIOMotorClient[dict[str, object]] = AsyncIOMotorClient(
            uri, username="__system", password=key, authSource="local", authMechanism="SCRAM-SHA-256"
        )
        try:
            await client.admin.command("replSetStepUp")
        finally:
            client.close()

    async def primary(self) -> str:
        """Its address."""
        uri = f"mongodb://{self._addresses}/?replicaSet={REPLICA_SET}"
        client: AsyncIOMotorClient[dict[str, object]] = AsyncIOMotorClient(
            uri, username=users.ADMINISTRATOR, password=_ADMINISTRATOR
        )
        try:
            hello = await client.admin.command("hello")
        finally:
            client.close()
        return str(hello["primary"])

    @property
    def _addresses(self) -> str:
        return ",".join(node.address for node in self.nodes)


def _settings(addresses: str, password: str) -> CommonSettings:
    uri = f"mongodb://{users.SERVICES}@{addresses}/?replicaSet={REPLICA_SET}"
    return CommonSettings(mongo=MongoSettings(uri=SecretStr(uri), password=SecretStr(password)))
