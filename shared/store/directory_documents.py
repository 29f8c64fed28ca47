"""Versions of the directory, and the documents that hold them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from pydantic import ValidationError
from pymongo.errors import DocumentTooLarge

from shared import ids
from shared.domain.workspace import Fault, Unsound, Workspace, faults
from shared.errors import DependencyDown, InvalidInput, Reason
from shared.store.connection import Document
from shared.store.directory_newer import as_far_as_known


class Origin(StrEnum):
    """How a version came about."""

    FILE = "file"
    CONSOLE = "console"
    API = "api"
    CSV = "csv"
    COMMAND = "command"
    OTHER = "other"

    @classmethod
    def _missing_(cls, value: object) -> Origin:
        """What a newer release notes must not keep this one from reading the version."""
        del value
        return cls.OTHER


@dataclass(frozen=True, slots=True)
class Version:
    """A version of the directory, who made it and how; `number` counts from 1.

    `passed_over`: paths of what only a newer release knows, and is not in `workspace`.
    """

    number: int
    author: str
    applied_at: datetime
    # asyncio.run shows what it returns to itself, and all accounts in words took half a second.
    workspace: Workspace = field(repr=False)
    origin: Origin = Origin.FILE
    passed_over: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """A version without its workspace."""

    id: str
    number: int
    author: str
    applied_at: datetime
    origin: Origin


@dataclass(frozen=True, slots=True)
class Declared:
    """What a file said when `author` last applied one, and the number of the version in force afterwards.

    That version may hold more: what was changed elsewhere, and kept.
    """

    number: int
    author: str
    applied_at: datetime
    workspace: Workspace = field(repr=False)


def document_of(version: Version) -> Document:
    """What is left at its default is left out, so that an older release reads it while both are running."""
    return {
        "_id": ids.fresh_id(),
        "version": version.number,
        "author": version.author,
        "origin": version.origin.value,
        "applied_at": version.applied_at,
        "workspace": stored(version.workspace),
    }


def stored(workspace: Workspace) -> Document:
    return workspace.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def workspace_of(stored: Document, number: int) -> Workspace:
    try:
        return Workspace.model_validate(stored)
    except ValidationError as error:
        raise DependencyDown(
            "directory", f"version {number} needs a newer release ({error.error_count()} unknown)"
        ) from None


def version_of(document: Document) -> Version:
    workspace = workspace_of(document["workspace"], document["version"])
    entry = entry_of(document)
    return Version(entry.number, entry.author, entry.applied_at, workspace, entry.origin)


def known_version_of(document: Document) -> Version:
    """As far as this release knows its words. Raises DependencyDown where that is too little."""
    known = as_far_as_known(document["workspace"])
    if known is None:
        return version_of(document)
    entry = entry_of(document)
    return Version(entry.number, entry.author, entry.applied_at, known[0], entry.origin, known[1])


def entry_of(document: Document) -> Entry:
    # Versions of before origins were noted were all applied from files.
    origin = Origin(document.get("origin", Origin.FILE))
    return Entry(document["_id"], document["version"], document["author"], document["applied_at"], origin)


def line(found: Sequence[Document], newest: str | None) -> Iterator[Document]:
    """From the newest back to the first; without those of whoever lost a race, which nothing points to.

    Versions of before the link `previous` was kept are found by their number.
    """
    by_id = {document["_id"]: document for document in found}
    by_number = {document["version"]: document for document in found}
    document = by_id.get(newest or "")
    while document is not None:
        yield document
        if "previous" in document:
            document = by_id.get(document["previous"] or "")
        else:
            document = by_number.get(document["version"] - 1)


def checked(workspace: Workspace) -> Workspace:
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
def within_one_document() -> Iterator[None]:
    try:
        yield
    except DocumentTooLarge:
        raise InvalidInput(
            Reason.TOO_LARGE,
            "the workspace is larger than a version can be (16 MB)",
            remedy="bring fewer accounts or contacts",
        ) from None
