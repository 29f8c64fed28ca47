"""An installation of before MongoDB asked for names gets keys and users at the next start, with its data."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from deploy.docker import keys
from deploy.docker.prepare import REPLICA_SET, Members, let_in
from deploy.embedded.process import Command
from shared import clock
from shared.errors import DependencyDown
from shared.settings import CommonSettings, MongoSettings, load
from shared.store.connection import Store, guard
from shared.store.migrations import Migrator
from shared.store.owners import ERASURES
from tests.support.locked_mongo import LockedMongo

_ENTRY = {"_id": "e-1", "marks": ["aa11"]}


class Upgraded(LockedMongo):
    """The same data and port, with the key of a replica set or without."""

    locked = False

    def _command(self) -> Command:
        command = super()._command()
        if self.locked:
            return command
        key = command.argv.index("--keyFile")
        return replace(command, argv=command.argv[:key] + command.argv[key + 2 :])

    def unnamed(self) -> MongoSettings:
        """The address that services had then."""
        return MongoSettings(uri=SecretStr(f"mongodb://{self.address}/?replicaSet={REPLICA_SET}"))


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, Path]:
    """As the release before left them: a key and a token in one, nothing in the others."""
    made = {name: tmp_path / name for name in ("own", "shared", "mongodb")}
    for folder in made.values():
        folder.mkdir()
    for name in ("contributors_key", "internal_token"):
        (made["own"] / name).write_text(f"{name} of before", encoding="utf-8")
    return made


async def test_it_gets_its_users_at_the_next_start_and_may_go_back(folders: dict[str, Path]) -> None:
    key_file = folders["mongodb"] / keys.KEY_FILE
    server = Upgraded(key_file)
    try:
        await server.start()
        await let_in(server.unnamed(), Members(server.address, server.address))
        await _seen(server.unnamed(), write=True)

        await server.stop()
        environment = {"LISTENINGPOST_SECRETS_DIR": str(folders["own"])}
        made = keys.make(**folders, settings=load(CommonSettings, environment))
        assert sorted(made) == ["admin_password", "keyfile", "mongo__password"]
        settings = load(CommonSettings, environment)
        assert settings.internal_token == SecretStr("internal_token of before")
        assert settings.mongo.password is not None
        named = server.settings(settings.mongo.password.get_secret_value()).mongo
        # As the compose file does: MongoDB takes a key from nobody but its owner.
        key_file.chmod(0o400)
        server.locked = True
        await server.start()
        for _ in range(2):
            await let_in(named, server.members)
        await _seen(named)
        with pytest.raises(DependencyDown, match="asks for a name"):
            await _seen(server.unnamed())

        await server.stop()
        server.locked = False
        await server.start()
        await _seen(server.unnamed())
    finally:
        await server.close()


async def _seen(settings: MongoSettings, *, write: bool = False) -> None:
    """The services start there, and find what was written."""
    store = Store(settings)
    try:
        await Migrator(store).start()
        entries = store.collection(ERASURES.name)
        with guard():
            if write:
                await entries.insert_one({**_ENTRY, "asked_at": clock.now()})
            assert await entries.count_documents(_ENTRY) == 1
    finally:
        await store.stop()
