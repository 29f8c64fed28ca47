"""What differs between two workspaces, in the words of whoever edits them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

from shared.domain.parts import ORDERED, PLAIN, Fields, split
from shared.domain.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Difference:
    """Of one kind of entity: ids that came and went, and of those that stayed the fields that changed."""

    what: str
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[tuple[str, tuple[str, ...]], ...] = ()
    reordered: bool = False

    def as_json(self) -> dict[str, object]:
        return {**asdict(self), "changed": {name: list(fields) for name, fields in self.changed}}


def differences(old: Workspace | None, new: Workspace) -> tuple[Difference, ...]:
    """Everything that differs, kind by kind; empty when nothing does. Against None everything is new."""
    after = split(new)
    before = split(old) if old else {kind: {} for kind in after}
    found = [_plain(before[PLAIN][""], after[PLAIN][""])] if old else []
    found += [_compare(kind, before[kind], after[kind]) for kind in after if kind != PLAIN]
    return tuple(difference for difference in found if difference != Difference(difference.what))


def _plain(before: Fields, after: Fields) -> Difference:
    """In the order of the file: name before route."""
    names = [name for name in Workspace.model_fields if before.get(name) != after.get(name)]
    return Difference(PLAIN, changed=tuple((name, ()) for name in names))


def _compare(what: str, before: Mapping[str, Fields], after: Mapping[str, Fields]) -> Difference:
    stayed = [name for name in after if name in before]
    return Difference(
        what,
        added=tuple(name for name in after if name not in before),
        removed=tuple(name for name in before if name not in after),
        changed=tuple(_changes(before, after, stayed)),
        reordered=what in ORDERED and stayed != [name for name in before if name in after],
    )


def _changes(
    before: Mapping[str, Fields], after: Mapping[str, Fields], names: list[str]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name in names:
        fields = tuple(
            f for f in sorted({*before[name], *after[name]}) if before[name].get(f) != after[name].get(f)
        )
        if fields:
            yield name, fields
