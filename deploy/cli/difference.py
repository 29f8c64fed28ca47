"""What differs between two workspaces, in the words of whoever edits them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from shared.domain.workspace import Workspace

_LISTS = ("departments", "people", "lenses", "segments", "personas", "accounts", "receivers")
_PLAIN = ("name", "domains", "triage_owner", "competitors", "providers", "route")

Entities = Mapping[str, Mapping[str, Any]]


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
    before, after = (
        workspace.model_dump(mode="json", by_alias=True) if workspace else {} for workspace in (old, new)
    )
    found = [_plain(before, after)] if old else []
    for what, entities in _kinds(after).items():
        found.append(_compare(what, _kinds(before).get(what, {}), entities))
    return tuple(difference for difference in found if difference != Difference(difference.what))


def _kinds(workspace: Mapping[str, Any]) -> dict[str, Entities]:
    """Every kind of entity by id, in the order declared. A product's stages are kinds of their own."""
    kinds: dict[str, Entities] = {what: {e["id"]: e for e in workspace.get(what, ())} for what in _LISTS}
    products = workspace.get("products", ())
    kinds["products"] = {product["id"]: _without(product, "stages") for product in products}
    stages = {f"{product['id']}/{stage['id']}": stage for product in products for stage in product["stages"]}
    kinds["stages"] = {name: _without(stage, "touchpoints") for name, stage in stages.items()}
    kinds["touchpoints"] = {
        touchpoint["id"]: {**touchpoint, "stage": name}
        for name, stage in stages.items()
        for touchpoint in stage["touchpoints"]
    }
    return kinds


def _without(entity: Mapping[str, Any], field: str) -> Mapping[str, Any]:
    return {name: value for name, value in entity.items() if name != field}


def _plain(before: Mapping[str, Any], after: Mapping[str, Any]) -> Difference:
    return Difference(
        "workspace", changed=tuple((field, ()) for field in _PLAIN if before[field] != after[field])
    )


def _compare(what: str, before: Entities, after: Entities) -> Difference:
    stayed = [name for name in after if name in before]
    return Difference(
        what,
        added=tuple(name for name in after if name not in before),
        removed=tuple(name for name in before if name not in after),
        changed=tuple(_changes(before, after, stayed)),
        # On a journey the order is what it means: it says who the neighbours are.
        reordered=what in {"stages", "touchpoints"} and stayed != [name for name in before if name in after],
    )


def _changes(before: Entities, after: Entities, names: list[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name in names:
        fields = tuple(
            f for f in sorted({*before[name], *after[name]}) if before[name].get(f) != after[name].get(f)
        )
        if fields:
            yield name, fields
