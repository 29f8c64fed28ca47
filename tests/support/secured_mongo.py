"""A mongod behind TLS that asks for a name and a password."""

from __future__ import annotations

import secrets
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote_plus

from motor.motor_asyncio import AsyncIOMotorClient

from deploy.embedded.process import Command
from tests.support.certificates import Authority
from tests.support.mongo_server import Mongod, MongoServer

USERNAME = "listeningpost"


class SecuredMongo(MongoServer):
    """Its first start is in the clear, to make the replica set and the user; `start` returns behind TLS."""

    def __init__(self, authority: Authority, password: str) -> None:
        super().__init__()
        self._authority = authority
        self._password = password
        self._certificate: Path = authority.issue("mongod")
        self._is_secured = False

    def secured_uri(self, *, password: str, ca: Path) -> str:
        login = f"{USERNAME}:{quote_plus(password)}"
        return super().uri.replace("//", f"//{login}@") + f"&tls=true&tlsCAFile={ca}&authSource=admin"

    async def start(self) -> None:
        await super().start()
        client: AsyncIOMotorClient[dict[str, object]] = AsyncIOMotorClient(self.uri)
        await client.admin.command("createUser", USERNAME, pwd=self._password, roles=["root"])
        client.close()
        await self.stop()
        self._is_secured = True
        self._child = None
        await Mongod.start(self)

    async def change_password(self, new: str) -> None:
        uri = self.secured_uri(password=self._password, ca=self._authority.file)
        client: AsyncIOMotorClient[dict[str, object]] = AsyncIOMotorClient(uri)
        await client.admin.command("updateUser", USERNAME, pwd=new)
        client.close()
        self._password = new

    async def restart(self) -> None:
        """Every connection is lost, and has to log in anew."""
        await self.stop()
        self._child = None
        await Mongod.start(self)

    def _command(self) -> Command:
        plain = super()._command()
        if not self._is_secured:
            return plain
        key = self._certificate.with_name("keyfile")
        key.write_text(secrets.token_hex(32), encoding="ascii")
        key.chmod(0o400)
        options = (
            *("--tlsMode", "requireTLS", "--tlsCertificateKeyFile", str(self._certificate)),
            *("--tlsCAFile", str(self._authority.file), "--tlsAllowConnectionsWithoutCertificates"),
            *("--keyFile", str(key)),
        )
        return replace(plain, argv=(*plain.argv, *options))
