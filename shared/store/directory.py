"""The directory at rest: immutable versions of the workspace, and one pointer that says which is in force.

A change adds a version and moves the pointer by compare-and-set: two people who change it at once never undo
each other, the second learns of the first. What is in force is read whole or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pydantic import ValidationError
from pymongo.errors import DocumentTooLarge, DuplicateKeyError

from shared import ids
from shared.domain.directory import Directory
from shared.domain.workspace import Fault, Unsound, Workspace, faults
from shared.errors import DependencyDown, InvalidInput, ListeningPostError, Reason
from shared.store.connection import Document, Store, guard
from shared.store.follow import Follower
from shared.store.owners import DIRECTORY

_POINTER = "current"
#: Each time somebody was faster, somebody got ahead: ten at once all get through.
_MOST_TRIES = 10


class Origin(StrEnum):
    """How a version came about."""

    FILE = "file"
    CONSOLE = "console"
    API = "api"
    CSV = "csv"


class Conflict(ListeningPostError):
    """Somebody else changed the directory since it was read."""

    def __init__(self, found: Version | None) -> None:
        newer = f"version {found.number} by {found.author}" if found else "nothing"
        super().__init__(f"the directory was changed meanwhile: in force is {newer}")
        self.found = found


@dataclass(frozen=True, slots=True)
class Version:
    """A version of the directory, who made it and how; `number` counts from 1."""

    number: int
    author: str
    applied_at: datetime
    workspace: Workspace
    origin: Origin = Origin.FILE


class DirectoryStore:
    """Written by the console and the command line. All methods raise DependencyDown while MongoDB is away."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def current(self) -> Version | None:
        """The version in force; None before the first was applied."""
        collection = self._store.collection(DIRECTORY.name)
        with guard():
            pointer = await collection.find_one({"_id": _POINTER})
            document = await collection.find_one({"_id": pointer["document"]}) if pointer else None
        return _version(document) if document else None

    async def change(
        self, edit: Callable[[Workspace], Workspace], author: str, origin: Origin, *, now: datetime
    ) -> Version:
        """The workspace in force is what `edit` makes of it; that version, also when `edit` changed nothing.

        `edit` is called again, with what is then in force, when somebody else was faster; what it raises is
        raised. Raises Unsound with the faults of what it made, Conflict when somebody was faster ten times,
        and DependencyDown while no workspace is applied.
        """
        for left in reversed(range(_MOST_TRIES)):
            current = await self.current()
            if current is None:
                raise DependencyDown("directory", _NONE_YET)
            edited = _checked(edit(current.workspace))
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
        document = _document(version)
        with guard(), _within_one_document():
            # First the version, then the pointer: a crash between the two leaves an entry nothing points to.
            await self._store.collection(DIRECTORY.name).insert_one(document)
            moved = await self._move_pointer(document, expected)
        if not moved:
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
        super().__init__("directory", store.collection(DIRECTORY.name), self._read)

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

    def problem(self) -> str | None:
        return super().problem() or (None if self._snapshot is not None else _NONE_YET)

    async def _read(self) -> Directory | None:
        version = await self._versions.current()
        return Directory(version.workspace, version.number) if version else None


_NONE_YET = "none is applied yet; run `listeningpost apply`"


def _document(version: Version) -> Document:
    """What is left at its default is left out, so that an older release reads it while both are running."""
    return {
        "_id": ids.fresh_id(),
        "version": version.number,
        "author": version.author,
        "origin": version.origin.value,
        "applied_at": version.applied_at,
        "workspace": version.workspace.model_dump(mode="json", by_alias=True, exclude_defaults=True),
    }


def _version(document: Document) -> Version:
    try:
        workspace = Workspace.model_validate(document["workspace"])
    except ValidationError as error:
        raise DependencyDown(
            "directory",
            f"version {document['version']} needs a newer release ({error.error_count()} unknown)",
        ) from None
    # Versions of before origins were noted were all applied from files.
    origin = Origin(document.get("origin", Origin.FILE))
    return Version(document["version"], document["author"], document["applied_at"], workspace, origin)


def _checked(workspace: Workspace) -> Workspace:
    """Sound, and made of nothing but what can be read back: a copy that was changed is not checked by itself.

    Raises Unsound.
    """
    try:
        read = Workspace.model_validate(workspace.model_dump(mode="json", by_alias=True, warnings=False))
    except ValidationError as error:
        raise Unsound(Fault(path=fault["loc"], message=fault["msg"]) for fault in error.errors()) from None
    wrong = faults(read)
    if wrong:
        raise Unsound(wrong)
    return read


@contextmanager
def _within_one_document() -> Iterator[None]:
    try:
        yield
    except DocumentTooLarge:
        raise InvalidInput(
            Reason.TOO_LARGE,
            "the workspace is larger than a version can be (16 MB)",
            remedy="bring fewer accounts or contacts",
        ) from None
