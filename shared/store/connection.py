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
from weakref import WeakValueDictionary

import structlog
from bson.codec_options import CodecOptions
from motor.motor_asyncio import (
    AsyncIOMotorClientSession,
    AsyncIOMotorCollection,
    AsyncIOMotorDatabase,
)
from pymongo import WriteConcern
from pymongo.errors import PyMongoError

from shared.errors import ConfigurationError, DependencyDown
from shared.settings import MongoSettings
from shared.store.away import away
from shared.store.login import Client, Login, connect, is_taken, logins

Document: TypeAlias = dict[str, Any]
Database: TypeAlias = AsyncIOMotorDatabase[Document]
Collection: TypeAlias = AsyncIOMotorCollection[Document]
Session: TypeAlias = AsyncIOMotorClientSession

_WATCH_EVERY_S = 2.0
#: Longer than an answer may take, and than anybody reads from one cursor.
_FINISH_WITHIN_S = 60.0
_log = structlog.get_logger()


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
        self._client: Client | None = None
        self._login: Login | None = None
        #: Those that were in use before, until what is under way has ended.
        self._old: list[Client] = []
        self._given: WeakValueDictionary[int, Collection] = WeakValueDictionary()
        self._watch: asyncio.Task[None] | None = None
        self._problem: str | None = None

    @property
    def db(self) -> Database:
        if self._client is None:
            self._login = logins(self._settings)[0]
            self._client = connect(self._login, self._settings)
        options: CodecOptions[Document] = CodecOptions(tz_aware=True, tzinfo=UTC)
        concern = WriteConcern(w="majority", j=True, wtimeout=10_000)
        return self._client.get_database(
            self._settings.database, codec_options=options, write_concern=concern
        )

    def collection(self, name: str) -> Collection:
        """It stays good when the password changes."""
        made = self.db[name]
        self._given[id(made)] = made
        return made

    async def start(self) -> None:
        with guard():
            if len(logins(self._settings)) > 1:
                # The newest may not be known to the server yet.
                self._login = None
                await self._renew()
            await self.db.command("ping")
        self._watch = asyncio.create_task(self._keep_watch(), name="watch mongodb")

    async def stop(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch
            self._watch = None
        while self._old:
            self._close_oldest()
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
                        await self._renew()
                        await self.db.command("ping")
            except DependencyDown as error:
                self._problem = str(error)
            except TimeoutError:
                # It hangs: the connection is there, and nobody answers.
                self._problem = str(DependencyDown(self.name, "no answer"))
            else:
                self._problem = None

    async def _renew(self) -> None:
        """The newest login that the server takes is the one in use, for all who hold a collection of ours.

        Raises PyMongoError where the server cannot be asked; then everything stays as it is.
        """
        for login in logins(self._settings):
            if login == self._login:
                return
            client = self._try_out(login)
            if client is None:
                continue
            if await is_taken(client):
                self._take(client, login)
                _log.info("mongodb_login_renewed")
                return
            client.close()

    def _try_out(self, login: Login) -> Client | None:
        try:
            return connect(login, self._settings)
        except ConfigurationError as error:
            # Who rotates has made a mistake: what holds so far goes on.
            _log.error("mongodb_login_unusable", cause=str(error))
            return None

    def _take(self, client: Client, login: Login) -> None:
        """What is under way at the old one comes to its end there; everything else goes to the new one."""
        old, self._client, self._login = self._client, client, login
        db = self.db
        for collection in list(self._given.values()):
            current = db[collection.name]
            collection.delegate = current.delegate
            collection.database = db  # type: ignore[attr-defined] # Motor's own, missing in its types
        if old is not None:
            self._old.append(old)
            asyncio.get_running_loop().call_later(_FINISH_WITHIN_S, self._close_oldest)

    def _close_oldest(self) -> None:
        if self._old:
            self._old.pop(0).close()


__all__ = ["Collection", "Database", "Document", "PyMongoError", "Session", "Store", "guard"]
