"""A file put together with what is in force: from which version it was made, and what comes out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from shared.domain.declaration import Declaration, explain, mark
from shared.domain.difference import Difference, differences
from shared.domain.parts import Parts, split
from shared.domain.three_way import Merged, Path, Take, merge, value_at
from shared.domain.workspace import Fault, Workspace, faults
from shared.store.directory import DirectoryStore, Entry, Origin, Version

#: How far back somebody is looked for who changed a thing; beyond it the oldest of these is named.
_MOST_VERSIONS = 40


@dataclass(frozen=True, slots=True)
class Base:
    """What the file was made from. `others` means that its author has not applied one: nobody can know."""

    workspace: Workspace
    number: int
    author: str
    others: bool = False


@dataclass(frozen=True, slots=True)
class Merge:
    """`result` is to be in force; None where there are clashes, or faults that neither side had alone."""

    base: Base
    merged: Merged
    result: Workspace | None
    faults: tuple[Fault, ...] = ()
    changes: tuple[Difference, ...] = ()


async def base_of(directory: DirectoryStore, said: Declaration, author: str) -> tuple[Base, bool]:
    """What `author` made the file from, and whether the version it says it is based on is not known here.

    The newer of two: the version it was exported from, and the last file of this author. Where there is
    neither, the last file of anybody.
    """
    entries = await directory.entries()
    exported = await _exported(directory, entries, said.based_on)
    unknown = said.based_on is not None and exported is None
    own = await _last_file(directory, entries, author)
    known = [base for base in (own, exported) if base is not None]
    if known:
        # Of two of the same number the export is the one that has what was kept.
        return max(reversed(known), key=lambda base: base.number), unknown
    anybodys = await _last_file(directory, entries, None)
    if anybodys is None:
        (first,) = await directory.read(entries[-1:])
        anybodys = Base(first.workspace, first.number, first.author)
    return Base(anybodys.workspace, anybodys.number, anybodys.author, others=True), unknown


async def _exported(directory: DirectoryStore, entries: Sequence[Entry], based_on: str | None) -> Base | None:
    number = int(based_on.partition("-")[0]) if based_on else 0
    for version in await directory.read([entry for entry in entries if entry.number == number]):
        if mark(version.workspace, version.number) == based_on:
            return Base(version.workspace, version.number, version.author)
    return None


async def _last_file(directory: DirectoryStore, entries: Sequence[Entry], author: str | None) -> Base | None:
    """Of this author, or of anybody. A file that changed nothing has left no version, but is remembered."""
    declared = await directory.declared(author)
    made = [entry for entry in entries if entry.origin is Origin.FILE and author in {entry.author, None}]
    if made and (declared is None or made[0].number > declared.number):
        (version,) = await directory.read(made[:1])
        return Base(version.workspace, version.number, version.author)
    return Base(declared.workspace, declared.number, declared.author) if declared else None


def put_together(base: Base, file: Workspace, current: Workspace, take: Take | None) -> Merge:
    """The file's changes on top of what is in force."""
    merged = merge(base.workspace, file, current, take)
    if merged.clashes and take is None:
        return Merge(base, merged, None)
    try:
        result = Workspace.model_validate(merged.values)
    except ValidationError as error:
        said = ((fault["loc"], *explain(fault, fault["loc"])) for fault in error.errors())
        wrong = tuple(Fault(path=path, message=message, remedy=remedy) for path, message, remedy in said)
        return Merge(base, merged, None, wrong)
    wrong = faults(result)
    if wrong:
        return Merge(base, merged, None, wrong)
    return Merge(base, merged, result, (), differences(current, result))


async def makers(directory: DirectoryStore, paths: Iterable[Path]) -> dict[Path, Version]:
    """Of each path the version since which it is in force as it is."""
    wanted = list(paths)
    if not wanted:
        return {}
    versions = await directory.read((await directory.entries())[:_MOST_VERSIONS])
    found = dict.fromkeys(wanted, versions[0])
    newer = split(versions[0].workspace)
    open_paths = set(wanted)
    for version in versions[1:]:
        older = split(version.workspace)
        open_paths = {path for path in open_paths if _same(newer, older, path)}
        found |= dict.fromkeys(open_paths, version)
        newer = older
    return found


def _same(newer: Parts, older: Parts, path: Path) -> bool:
    return bool(value_at(newer, path) == value_at(older, path))
