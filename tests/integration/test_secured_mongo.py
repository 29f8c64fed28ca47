"""MongoDB behind TLS with a password: by its address alone, and what is wrong with it is said."""

from __future__ import annotations

import logging
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from pydantic import SecretStr

from deploy.embedded.mongod import mongo_uri
from shared.errors import ConfigurationError, DependencyDown
from shared.settings import MongoSettings
from shared.store.away import SETTING
from shared.store.connection import Store
from shared.store.migrations import Migrator
from shared.store.owners import FEEDBACK
from tests.support.certificates import Authority
from tests.support.secured_mongo import SecuredMongo

_PASSWORD = f"pass word/@:{secrets.token_hex(4)}"
_WRONG = "not the password"


@dataclass(frozen=True, slots=True)
class Secured:
    server: SecuredMongo
    ca: Path
    stranger: Path

    def store(self, uri: str) -> Store:
        return Store(MongoSettings(uri=SecretStr(uri), server_selection_timeout_ms=1_000))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def secured(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Secured]:
    directory = tmp_path_factory.mktemp("certificates")
    authority = Authority("authority", directory)
    async with SecuredMongo(authority, _PASSWORD) as server:
        yield Secured(server, authority.file, Authority("stranger", directory).file)


async def test_a_password_over_tls(secured: Secured) -> None:
    store = secured.store(secured.server.secured_uri(password=_PASSWORD, ca=secured.ca))
    await store.start()
    await Migrator(store).start()
    assert await store.collection(FEEDBACK.name).count_documents({}) == 0
    assert store.problem() is None
    await store.stop()


async def test_what_is_wrong_is_said_and_no_password(
    secured: Secured, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    address = secured.server.secured_uri
    right = address(password=_PASSWORD, ca=secured.ca)
    for uri, says in (
        (address(password=_WRONG, ca=secured.ca), "refuses the name or the password"),
        (address(password=_PASSWORD, ca=secured.stranger), "tlsCAFile"),
        (mongo_uri(secured.server.port), "is tls of"),
        (right.replace(right.partition("@")[0], "mongodb://").replace("@", "", 1), "asks for a name"),
    ):
        store = secured.store(uri)
        with pytest.raises(DependencyDown) as caught:
            await Migrator(store).start()
        await store.stop()
        assert says in str(caught.value)
        assert SETTING in str(caught.value)
    for password in (_PASSWORD, _WRONG):
        assert password not in caplog.text


@pytest.mark.parametrize(
    "uri",
    [
        "mongodb://user:p@ss:word@host/",
        "mongodb://host/?tls=true&tlsCAFile=/nowhere/ca.pem",
        f"mongodb://host/?tls=true&tlsCAFile={__file__}",
        "mongodb://host:port/",
    ],
)
def test_an_address_that_cannot_be_used_stops_the_process(uri: str) -> None:
    with pytest.raises(ConfigurationError, match=SETTING) as caught:
        _ = Store(MongoSettings(uri=SecretStr(uri))).db
    assert "ss:word" not in str(caught.value)
