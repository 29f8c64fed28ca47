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

from bson.codec_options import CodecOptions
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorCollection, AsyncIOMotorDatabase
from pymongo import WriteConcern
from pymongo.errors import (
    AutoReconnect,
    ConnectionFailure,
    ExecutionTimeout,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WaitQueueTimeoutError,
    WriteConcernError,
    WTimeoutError,
)

from shared.errors import DependencyDown
from shared.settings import MongoSettings

Document: TypeAlias = dict[str, Any]
Database: TypeAlias = AsyncIOMotorDatabase[Document]
Collection: TypeAlias = AsyncIOMotorCollection[Document]

_WATCH_EVERY_S = 2.0
_AWAY = (
    AutoReconnect,
    ConnectionFailure,
    ServerSelectionTimeoutError,
    WaitQueueTimeoutError,
    ExecutionTimeout,
    WTimeoutError,
)
#: Server codes that mean "ask again, perhaps of another member".
#: Source: MongoDB retryable writes specification, "RetryableError"; 211 and 133 while a set is being elected.
_AWAY_CODES = frozenset({6, 7, 64, 89, 91, 133, 189, 211, 262, 9001, 10107, 11600, 11602, 13435, 13436})


def is_away(code: int | None) -> bool:
    """Whether a server's error code says that the server, not the request, is the trouble."""
    return code in _AWAY_CODES


@contextmanager
def guard() -> Iterator[None]:
    """Raise DependencyDown for errors that say the server, not the request, is the trouble."""
    try:
        yield
    except _AWAY as error:
        raise DependencyDown("mongodb", type(error).__name__) from error
    except (OperationFailure, WriteConcernError) as error:
        if is_away(error.code):
            raise DependencyDown("mongodb", f"code {error.code}") from error
        raise


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
        return AsyncIOMotorClient(
            self._settings.uri.get_secret_value(),
            appname="listeningpost",
            serverSelectionTimeoutMS=timeout_ms,
            connectTimeoutMS=timeout_ms,
            socketTimeoutMS=20_000,
            retryWrites=True,
            maxPoolSize=64,
        )


__all__ = ["Collection", "Database", "Document", "PyMongoError", "Store", "guard"]
