"""Three-way merge of workspaces: what a file changed, put together with what was changed elsewhere meanwhile.

`base` is what the file was made from, `file` what it says now, `current` what is in force. Entities meet by
their ids and are merged field by field; so are lists of entities inside them (contacts, elements,
subscriptions). Lists in which the order means nothing (keywords, agents …) are merged as sets. Every other
list (mail addresses, of which the first is where mail goes; the routes) is one value. Nobody's change is
lost: what both changed, and not to the same, is a clash.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import Any

from shared.domain.parts import INSIDE, ORDERED, Fields, Parts, join, orphans, split
from shared.domain.workspace import Workspace

#: From the kind of entity down to the field: ("people", "maren-voss", "title").
Path = tuple[str, ...]

_AS_SETS = frozenset({"domains", "competitors", "providers", "keywords", "examples", "agents", "languages"})
#: Lists of entities inside an entity, and by what two of them are the same.
_KEYED = {"contacts": "email", "elements": "id", "subscriptions": "lens"}
#: The last step of a path that leads to the order of a journey; no id looks like this.
ORDER = "(order)"


class Absent(Enum):
    """Stands for what is not there: an entity that was removed, a field that is left at its default."""

    ABSENT = "absent"


ABSENT = Absent.ABSENT


class Take(StrEnum):
    """Whose word counts where both changed the same."""

    FILE = "file"
    CURRENT = "current"


@dataclass(frozen=True, slots=True)
class Clash:
    """Both changed what is at `path`, and not to the same. ABSENT where it is not there (any more)."""

    path: Path
    base: Any
    file: Any
    current: Any


@dataclass(slots=True)
class Merged:
    """`values` is to be validated; `kept` leads to what was changed elsewhere and not in the file."""

    values: dict[str, object] = field(default_factory=dict)
    clashes: list[Clash] = field(default_factory=list)
    kept: list[Path] = field(default_factory=list)


def merge(base: Workspace, file: Workspace, current: Workspace, take: Take | None = None) -> Merged:
    """All changes of both. Where there are clashes `values` has what `take` says, else what is in force."""
    merger = _Merger(take or Take.CURRENT)
    sides = split(base), split(file), split(current)
    parts = {kind: merger.entities((kind,), *(side[kind] for side in sides)) for kind in sides[0]}
    merger.settle_orphans(parts, sides)
    merger.merged.values = join(parts)
    return merger.merged


def value_at(parts: Parts, path: Path) -> Any:  # noqa: ANN401 - whatever YAML may hold
    """What is at `path`; ABSENT where nothing is."""
    found: Any = parts
    for name in path:
        if name == ORDER:
            return list(found)
        if isinstance(found, list):
            found = {item[key]: item for item in found if (key := _key_of(item))}
        if not isinstance(found, Mapping) or name not in found:
            return ABSENT
        found = found[name]
    return found


class _Merger:
    def __init__(self, take: Take) -> None:
        self.merged = Merged()
        self._take = take

    def entities(
        self, path: Path, base: Mapping[str, Any], file: Mapping[str, Any], current: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Those of one kind, or the fields of one of them."""
        found = {}
        for name in self._order(path, list(base), list(file), list(current)):
            sides = (side.get(name, ABSENT) for side in (base, file, current))
            value = self._value((*path, name), *sides)
            if value is not ABSENT:
                found[name] = value
        return found

    def _value(self, path: Path, base: Any, file: Any, current: Any) -> Any:  # noqa: ANN401
        if file == current:
            return file
        if isinstance(file, Mapping) and isinstance(current, Mapping):
            return self.entities(path, base if isinstance(base, Mapping) else {}, file, current)
        lists = [[] if side is ABSENT else side for side in (base, file, current)]
        if path[-1] in _KEYED and all(_has_keys(side, _KEYED[path[-1]]) for side in lists):
            by_key = ({item[_KEYED[path[-1]]]: item for item in side} for side in lists)
            return list(self.entities(path, *by_key).values()) or ABSENT
        if path[-1] in _AS_SETS and base not in (file, current) and all(isinstance(s, list) for s in lists):
            return _as_set(*lists) or ABSENT
        return self._one(Clash(path, base, file, current))

    def _one(self, sides: Clash) -> Any:  # noqa: ANN401
        """What is one value: that of the only side that changed it."""
        if sides.file == sides.base:
            self.merged.kept.append(sides.path)
            return sides.current
        return sides.file if sides.current == sides.base else self._clash(sides)

    def _clash(self, clash: Clash) -> Any:  # noqa: ANN401
        self.merged.clashes.append(clash)
        return clash.file if self._take is Take.FILE else clash.current

    def _order(self, path: Path, base: list[str], file: list[str], current: list[str]) -> list[str]:
        """Whoever moved things says in which order they are; what only the other has is put where it was."""
        moved_in_file = _of(file, base) != _of(base, file)
        moved_meanwhile = _of(current, base) != _of(base, current)
        lead, other = (file, current) if moved_in_file else (current, file)
        both_differ = moved_in_file and moved_meanwhile and _of(file, current) != _of(current, file)
        if both_differ and path[-1] in ORDERED:
            lead = self._clash(Clash((*path, ORDER), base, file, current))
            other = current if lead is file else file
        return _woven(lead, other)

    def settle_orphans(self, parts: dict[str, dict[str, Fields]], sides: tuple[Parts, Parts, Parts]) -> None:
        """One removed a stage or product, into which the other put something, or where it changed it."""
        chosen = sides[1] if self._take is Take.FILE else sides[2]
        told = {clash.path for clash in self.merged.clashes}
        while found := next(orphans(parts), None):
            kind, _, parent = found
            above = INSIDE[kind]
            keys = [key for other, key, missing in orphans(parts) if (other, missing) == (kind, parent)]
            clash = Clash((above, parent), *(side[above].get(parent, ABSENT) for side in sides))
            # Where what is inside was changed as well as removed, or put into two places, that was told.
            untold = [key for key in keys if not told & {(kind, key), (kind, key, "stage")}]
            if untold and clash.path not in told:
                self._clash(clash)
            told |= {clash.path, *((kind, key) for key in keys)}
            if parent in chosen[above]:
                restored = {**parts[above], parent: chosen[above][parent]}
                order = _woven([name for name in chosen[above] if name in restored], list(restored))
                parts[above] = {name: restored[name] for name in order}
            else:
                for key in keys:
                    del parts[kind][key]


def _of(names: Sequence[str], others: Sequence[str]) -> list[str]:
    """Those of `names` that the others have as well."""
    known = set(others)
    return [name for name in names if name in known]


def _woven(lead: Sequence[str], other: Sequence[str]) -> list[str]:
    """`lead`, and each that only `other` has behind the one it stands behind there."""
    known = set(lead)
    behind: dict[str | None, list[str]] = {}
    before: str | None = None
    for name in other:
        if name in known:
            before = name
        else:
            behind.setdefault(before, []).append(name)
    woven = behind.get(None, [])
    for name in lead:
        woven += [name, *behind.get(name, ())]
    return woven


def _as_set(base: list[Any], file: list[Any], current: list[Any]) -> list[Any]:
    """What one side removed is gone, what one side added is there."""
    gone = [item for item in base if item not in file or item not in current]
    return [item for item in _woven(current, file) if item not in gone]


def _has_keys(items: Any, key: str) -> bool:  # noqa: ANN401
    """Whether it is a list whose items can be told apart."""
    if not isinstance(items, list):
        return False
    keys = [item.get(key) for item in items]
    return None not in keys and len(set(keys)) == len(keys)


def _key_of(item: Any) -> str | None:  # noqa: ANN401
    """The name of the field by which an item of a list is known."""
    return next((key for key in _KEYED.values() if isinstance(item, Mapping) and key in item), None)
