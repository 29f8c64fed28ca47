"""The directory at rest: immutable versions of the workspace, and one pointer that says which is in force.

A change adds a version and moves the pointer by compare-and-set: two people who change it at once never undo
each other, the second learns of the first. What is in force is read whole or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime

import structlog
from pymongo.errors import DuplicateKeyError

from shared.domain.directory import Directory
from shared.domain.workspace import Workspace
from shared.errors import DependencyDown, ListeningPostError
from shared.store.connection import Document, Store, guard
from shared.store.directory_documents import (
    Declared,
    Entry,
    Origin,
    Version,
    checked,
    document_of,
    entry_of,
    known_version_of,
    line,
    stored,
    version_of,
    within_one_document,
    workspace_of,
)
from shared.store.directory_forget import named, naming, redacted, without_contacts
from shared.store.follow import Follower
from shared.store.owners import DIRECTORY
from shared.telemetry.metrics import DIRECTORY_VERSION

_POINTER = "current"
_FILE = "file:"
_VERSIONS = {"workspace": {"$exists": True}}
#: Each time somebody was faster, somebody got ahead. Of six who did not stop, one lost ten times in a row
#: within thirty changes [measured].
_MOST_TRIES = 50
_log = structlog.get_logger()


class Conflict(ListeningPostError):
    """Somebody else changed the directory since it was read."""

    def __init__(self, found: Version | None) -> None:
        newer = f"version {found.number} by {found.author}" if found else "nothing"
        super().__init__(f"the directory was changed meanwhile: in force is {newer}")
        self.found = found


class DirectoryStore:
    """Written by the console and the command line. All methods raise DependencyDown while MongoDB is away."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def current(self) -> Version | None:
        """The version in force, to be changed or copied; None before the first was applied.

        Raises DependencyDown for one that says what only a newer release knows.
        """
        document = await self._in_force()
        return version_of(document) if document else None

    async def in_force(self) -> Version | None:
        """The version in force, to work by: without what only a newer release knows."""
        document = await self._in_force()
        return known_version_of(document) if document else None

    async def _in_force(self) -> Document | None:
        collection = self._store.collection(DIRECTORY.name)
        with guard():
            pointer = await collection.find_one({"_id": _POINTER})
            return await collection.find_one({"_id": pointer["document"]}) if pointer else None

    async def entries(self) -> tuple[Entry, ...]:
        """Every version that was ever in force, the newest first."""
        collection = self._store.collection(DIRECTORY.name)
        with guard():
            pointer = await collection.find_one({"_id": _POINTER})
            found = await collection.find(_VERSIONS, {"workspace": 0}).to_list(None)
        return tuple(entry_of(document) for document in line(found, pointer["document"] if pointer else None))

    async def read(self, entries: Sequence[Entry]) -> tuple[Version, ...]:
        """These versions whole, in the same order."""
        wanted = {"_id": {"$in": [entry.id for entry in entries]}}
        with guard():
            found = await self._store.collection(DIRECTORY.name).find(wanted).to_list(None)
        by_id = {document["_id"]: version_of(document) for document in found}
        return tuple(by_id[entry.id] for entry in entries)

    async def remember(self, declared: Declared) -> None:
        """The next file of this author is compared with this one."""
        document = {
            "version": declared.number,
            "author": declared.author,
            "applied_at": declared.applied_at,
            "declared": stored(declared.workspace),
        }
        with guard():
            await self._store.collection(DIRECTORY.name).replace_one(
                {"_id": f"{_FILE}{declared.author}"}, document, upsert=True
            )

    async def declared(self, author: str | None = None) -> Declared | None:
        """What the last file of this author said, or the last one of anybody."""
        wanted = {"_id": f"{_FILE}{author}"} if author is not None else {"declared": {"$exists": True}}
        newest = [("version", -1), ("applied_at", -1)]
        with guard():
            document = await self._store.collection(DIRECTORY.name).find_one(wanted, sort=newest)
        if document is None:
            return None
        workspace = workspace_of(document["declared"], document["version"])
        return Declared(document["version"], document["author"], document["applied_at"], workspace)

    async def known_as(self, name: str) -> tuple[set[str], set[str]]:
        """Ids and addresses of the colleagues who ever had this id or address, in any version."""
        with guard():
            versions = self._store.collection(DIRECTORY.name).find(naming(name), {"workspace.people": 1})
            found = [person async for document in versions for person in named(document, name)]
        return {person["id"] for person in found}, {
            email for each in found for email in each.get("emails", [])
        }

    async def forget(self, is_forgotten: Callable[[str], bool], author: str, *, now: datetime) -> int:
        """Nobody with a forgotten address is in any version; in how many documents somebody was.

        Contacts leave the version in force by a new one, which services follow. Raises Unsound and Conflict
        as `change` does.
        """
        current = await self.current()
        if current is None:
            return 0
        await self.change(
            lambda workspace: without_contacts(workspace, is_forgotten), author, Origin.COMMAND, now=now
        )
        still_here = frozenset(person.id for person in current.workspace.people)
        collection, gone = self._store.collection(DIRECTORY.name), 0
        with guard():
            async for document in collection.find({}):
                changed = redacted(document, is_forgotten, still_here)
                if changed:
                    await collection.update_one({"_id": document["_id"]}, {"$set": changed})
                    gone += 1
        return gone

    async def expire(self, before: datetime) -> int:
        """Versions applied before then that are not in force go, and with them what came before; how many."""
        collection = self._store.collection(DIRECTORY.name)
        with guard():
            pointer = await collection.find_one({"_id": _POINTER})
            old = {
                **_VERSIONS,
                "applied_at": {"$lt": before},
                "_id": {"$ne": pointer and pointer["document"]},
            }
            return (await collection.delete_many(old)).deleted_count

    async def mark(self) -> object:
        """Another one after every change; None before the first version was applied."""
        with guard():
            pointer = await self._store.collection(DIRECTORY.name).find_one(
                {"_id": _POINTER}, {"document": 1}
            )
        return pointer and pointer["document"]

    async def change(
        self,
        edit: Callable[[Workspace], Workspace],
        author: str,
        origin: Origin,
        *,
        now: datetime,
        expected: Collection[int] | None = None,
    ) -> Version:
        """The workspace in force is what `edit` makes of it; that version, also when `edit` changed nothing.

        `edit` is called again, with what is then in force, when somebody else was faster; what it raises is
        raised. With `expected` only one of these versions is changed, and any other raises Conflict. Raises
        Unsound with the faults of what `edit` made, Conflict when somebody was faster fifty times, and
        DependencyDown while no workspace is applied.
        """
        for left in reversed(range(_MOST_TRIES)):
            current = await self.current()
            if current is None:
                raise DependencyDown("directory", _NONE_YET)
            if expected is not None and current.number not in expected:
                raise Conflict(current)
            edited = checked(edit(current.workspace))
            if edited == current.workspace:
                return current
            try:
                return await self.propose(edited, author, expected=current.number, now=now, origin=origin)
            except Conflict:
                if not left:
                    raise
        raise AssertionError

    async def propose(
        self,
        workspace: Workspace,
        author: str,
        *,
        expected: int,
        now: datetime,
        origin: Origin = Origin.FILE,
    ) -> Version:
        """`workspace` is in force as version `expected` + 1, `expected` being the one it was compared with.

        0 stands for none yet. Raises Conflict, and nothing has changed, when another version is in force.
        """
        version = Version(expected + 1, author, now, workspace, origin)
        document = document_of(version)
        collection = self._store.collection(DIRECTORY.name)
        with guard(), within_one_document():
            pointer = await collection.find_one({"_id": _POINTER})
            if (pointer["version"] if pointer else 0) != expected:
                raise Conflict(await self.current())
            document["previous"] = pointer["document"] if pointer else None
            # First the version, then the pointer: a crash between the two leaves an entry nothing points to.
            await collection.insert_one(document)
            if not await self._move_pointer(document, expected):
                # It was never in force, and may be as large as the whole workspace.
                await collection.delete_one({"_id": document["_id"]})
                raise Conflict(await self.current())
        return version

    async def _move_pointer(self, document: Document, expected: int) -> bool:
        pointer = {
            "version": document["version"],
            "author": document["author"],
            "origin": document["origin"],
            "applied_at": document["applied_at"],
            "document": document["_id"],
        }
        collection = self._store.collection(DIRECTORY.name)
        if expected == 0:
            try:
                await collection.insert_one({"_id": _POINTER, **pointer})
            except DuplicateKeyError:
                return False
            return True
        result = await collection.update_one({"_id": _POINTER, "version": expected}, {"$set": pointer})
        return result.modified_count == 1


class DirectoryFollower(Follower[Directory | None]):
    """The directory in force, in memory, well within 2 s of a change. A Component.

    A service starts without one and waits for it: it says so in `/readyz`.
    """

    def __init__(self, store: Store) -> None:
        self._versions = DirectoryStore(store)
        super().__init__("directory", self._read, self._versions.mark)

    @property
    def directory(self) -> Directory:
        """Raises DependencyDown until one was applied: what needs it waits, and is not at fault."""
        if self._snapshot is None:
            raise DependencyDown("directory", _NONE_YET)
        return self._snapshot

    @property
    def in_force(self) -> Directory | None:
        """None until one was applied: for what can begin without."""
        return self._snapshot

    async def newest(self) -> Directory:
        """The directory in force now, not half a second ago: for whoever asks after a change of their own.

        Raises DependencyDown, also while MongoDB is away.
        """
        with guard():
            await self._look()
        return self.directory

    def problem(self) -> str | None:
        return super().problem() or (None if self._snapshot is not None else _NONE_YET)

    async def _read(self) -> Directory | None:
        version = await self._versions.in_force()
        if version is None:
            return None
        if version.passed_over:
            _log.warning("directory_passed_over", version=version.number, paths=version.passed_over)
        DIRECTORY_VERSION.set(version.number)
        return Directory(version.workspace, version.number)


_NONE_YET = "none is applied yet; run `listeningpost apply`"


__all__ = ["Conflict", "Declared", "DirectoryFollower", "DirectoryStore", "Entry", "Origin", "Version"]
