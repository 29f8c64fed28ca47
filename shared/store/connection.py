"""The connection to MongoDB, and the one place that tells *the store is away* from every other error.

Writes are acknowledged by a majority and journalled: what is acknowledged survives a crash and a fail-over.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from bson.codec_options import CodecOptions
from motor.motor_asyncio import (
    AsyncIOMotorClient,
    AsyncIOMotorClientSession,
    AsyncIOMotorCollection,
    AsyncIOMotorDatabase,
)
from pymongo import WriteConcern
from pymongo.errors import ConfigurationError as DriverRefuses
from pymongo.errors import InvalidURI, PyMongoError

from shared.errors import ConfigurationError, DependencyDown
from shared.settings import MongoSettings
from shared.store.away import SETTING, away

Document: TypeAlias = dict[str, Any]
Database: TypeAlias = AsyncIOMotorDatabase[Document]
Collection: TypeAlias = AsyncIOMotorCollection[Document]
Session: TypeAlias = AsyncIOMotorClientSession

_WATCH_EVERY_S = 2.0


@contextmanager
def guard() -> Iterator[None]:
    """Raise DependencyDown for errors that say the server, not the request, is the trouble."""
    try:
        yield
    except PyMongoError as error:
        down = away(error)
        if down is None:
            raise
        raise down from error


class Store:
    """The database of this installation. A Component: it starts once the server answers."""

    name = "mongodb"

    def __init__(self, settings: MongoSettings) -> None:
        self._settings = settings
        self._client: AsyncIOMotorClient[Document] | None = None
        self._watch: asyncio.Task[None] | None = None
        self._problem: str | None = None

    @property
    def db(self) -> Database:
        if self._client is None:
            self._client = self._connect()
        options: CodecOptions[Document] = CodecOptions(tz_aware=True, tzinfo=UTC)
        concern = WriteConcern(w="majority", j=True, wtimeout=10_000)
        return self._client.get_database(
            self._settings.database, codec_options=options, write_concern=concern
        )

    def collection(self, name: str) -> Collection:
        return self.db[name]

    async def start(self) -> None:
        with guard():
            await self.db.command("ping")
        self._watch = asyncio.create_task(self._keep_watch(), name="watch mongodb")

    async def stop(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch
            self._watch = None
        if self._client is not None:
            self._client.close()
            self._client = None

    def problem(self) -> str | None:
        return self._problem

    async def describe(self) -> dict[str, Any]:
        """Version and replica set of the server, for `listeningpost doctor`. Raises DependencyDown."""
        with guard():
            build = await self.db.client.admin.command("buildInfo")
            hello = await self.db.client.admin.command("hello")
        return {
            "version": build["version"],
            "replica_set": hello.get("setName"),
            "primary": bool(hello.get("isWritablePrimary")),
            "local_time": hello["localTime"].replace(tzinfo=UTC),
        }

    async def _keep_watch(self) -> None:
        while True:
            await asyncio.sleep(_WATCH_EVERY_S)
            try:
                with guard():
                    async with asyncio.timeout(_WATCH_EVERY_S * 2):
                        await self.db.command("ping")
            except DependencyDown as error:
                self._problem = str(error)
            except TimeoutError:
                # It hangs: the connection is there, and nobody answers.
                self._problem = str(DependencyDown(self.name, "no answer"))
            else:
                self._problem = None

    def _connect(self) -> AsyncIOMotorClient[Document]:
        timeout_ms = self._settings.server_selection_timeout_ms
        try:
            return AsyncIOMotorClient(
                self._settings.uri.get_secret_value(),
                **_password(self._settings),
                appname="listeningpost",
                serverSelectionTimeoutMS=timeout_ms,
                connectTimeoutMS=timeout_ms,
                socketTimeoutMS=20_000,
                retryWrites=True,
                maxPoolSize=64,
            )
        except InvalidURI as error:
            # The driver's own words may hold a part of it.
            msg = f"{SETTING} is no address of MongoDB; what is special in a name or password is written %40"
            raise ConfigurationError(msg) from error
        except (DriverRefuses, ValueError, OSError) as error:
            msg = f"{SETTING}: an option, or a file that it names, is of no use ({type(error).__name__})"
            raise ConfigurationError(msg) from error


def _password(settings: MongoSettings) -> dict[str, Any]:
    """The one that the address has left out. The driver prefers even None to what the address has."""
    named = urlsplit(settings.uri.get_secret_value())
    if settings.password is None or not named.username or named.password:
        return {}
    return {"password": settings.password.get_secret_value()}


__all__ = ["Collection", "Database", "Document", "PyMongoError", "Session", "Store", "guard"]
