"""MongoDB's password is changed while the store is used without a pause: nothing fails."""

from __future__ import annotations

import asyncio
import itertools
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio

from shared.errors import DependencyDown
from shared.settings import CommonSettings, MongoSettings, load
from shared.store.connection import Collection, PyMongoError, Store, guard
from tests.e2e.test_rotation import replace_file
from tests.support.certificates import Authority
from tests.support.secured_mongo import USERNAME, SecuredMongo
from tests.support.wait import until

pytestmark = pytest.mark.timeout(120)
_WITHIN_S = 30.0


@dataclass
class Used:
    """A collection somebody holds for as long as a service runs, written and read without a pause."""

    collection: Collection
    written: list[int] = field(default_factory=list)
    faults: list[Exception] = field(default_factory=list)
    numbers: itertools.count[int] = field(default_factory=itertools.count)
    ended: bool = False

    async def go_on(self) -> None:
        while not self.ended:
            number = next(self.numbers)
            try:
                with guard():
                    await self.collection.insert_one({"_id": number})
                    assert await self.collection.find({"_id": number}).to_list(None) == [{"_id": number}]
            except (DependencyDown, PyMongoError) as error:
                self.faults.append(error)
            self.written.append(number)

    async def goes_on(self) -> None:
        then = len(self.written)
        await until(lambda: len(self.written) >= then + 50, within_s=_WITHIN_S, what="it is used on")


@dataclass(frozen=True, slots=True)
class Secured:
    server: SecuredMongo
    password: str
    ca: Path

    def settings(self, folder: Path) -> MongoSettings:
        """The name is in the address, the password in a file."""
        uri = self.server.secured_uri(password="", ca=self.ca).replace(f"{USERNAME}:@", f"{USERNAME}@")
        return load(
            CommonSettings, {"LISTENINGPOST_MONGO__URI": uri, "LISTENINGPOST_SECRETS_DIR": str(folder)}
        ).mongo


@pytest_asyncio.fixture
async def secured(tmp_path: Path) -> AsyncIterator[Secured]:
    certificates = tmp_path / "certificates"
    certificates.mkdir()
    authority = Authority("authority", certificates)
    password = secrets.token_urlsafe(16)
    async with SecuredMongo(authority, password) as server:
        yield Secured(server, password, authority.file)


@asynccontextmanager
async def used(store: Store) -> AsyncIterator[Used]:
    one = Used(store.collection("rotated"))
    tasks = [asyncio.create_task(one.go_on()) for _ in range(3)]
    try:
        yield one
    finally:
        one.ended = True
        await asyncio.gather(*tasks)


async def test_the_password_is_changed_under_load(secured: Secured, tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    folder.mkdir()
    file, old, new = folder / "mongo__password", secured.password, secrets.token_urlsafe(16)
    replace_file(file, old)
    store = Store(secured.settings(folder))
    await store.start()
    first = store.db.client
    async with used(store) as one:
        await one.goes_on()
        replace_file(file, new, old)
        await one.goes_on()
        assert store.db.client is first, "the server does not know the new one yet"
        await secured.server.change_password(new)
        await one.goes_on()
        await until(lambda: store.db.client is not first, within_s=_WITHIN_S, what="it logs in anew")
        replace_file(file, new)
        await one.goes_on()
        assert not one.faults
    kept = await store.collection("rotated").count_documents({})
    assert kept >= len(one.written) >= 200
    # Whoever was let in with the old one is cut off: the new one is in use, with the collection of before.
    await secured.server.restart()

    async def counted() -> bool:
        try:
            return await one.collection.count_documents({}) == kept
        except PyMongoError:
            return False

    await until(counted, within_s=_WITHIN_S, what="it comes back by itself")
    await store.stop()


@pytest.mark.parametrize("known", [0, 1])
async def test_whichever_the_server_knows_is_taken_at_the_start(
    secured: Secured, tmp_path: Path, known: int
) -> None:
    folder = tmp_path / "secrets"
    folder.mkdir()
    values = ["not known", "neither"]
    values[known] = secured.password
    replace_file(folder / "mongo__password", *values)
    store = Store(secured.settings(folder))
    held = store.collection("rotated")
    await store.start()
    assert await held.count_documents({}) == 0
    await store.stop()


async def test_a_mistake_in_the_file_changes_nothing(secured: Secured, tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    folder.mkdir()
    file = folder / "mongo__password"
    replace_file(file, secured.password)
    settings = secured.settings(folder)
    store = Store(settings)
    await store.start()
    first = store.db.client
    replace_file(file, "mistyped")
    await until(
        lambda: [each.get_secret_value() for each in settings.by_now("password")] == ["mistyped"],
        within_s=_WITHIN_S,
        what="it is seen",
    )
    async with used(store) as one:
        await one.goes_on()
        await store._renew()
        await one.goes_on()
    assert store.db.client is first
    assert not one.faults
    await store.stop()
