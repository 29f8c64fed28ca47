"""A workspace taken apart into its entities, so that two can be compared, and changes to one put together.

A product's stages and touchpoints are entities of their own: a touchpoint that moves to another stage is the
same touchpoint with another stage, not one that went and one that came.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from shared.domain.workspace import Workspace

#: An entity by the names of its fields, as YAML has them; what is at its default is left out.
Fields: TypeAlias = Mapping[str, Any]
#: The entities of a kind by id, in the order declared; those of what is no list under "".
Parts: TypeAlias = Mapping[str, Mapping[str, Fields]]

LISTS = (
    "departments",
    "people",
    "lenses",
    "segments",
    "personas",
    "accounts",
    "receivers",
    "webhooks",
    "cloudevents",
)
#: On a journey the order is what it means: it says who the neighbours are.
ORDERED = frozenset({"stages", "touchpoints"})
#: What is inside what: of a stage its product is the beginning of its key, of a touchpoint it is a field.
INSIDE = {"stages": "products", "touchpoints": "stages"}
PLAIN = "workspace"


def split(workspace: Workspace) -> dict[str, dict[str, Fields]]:
    """Every kind of entity, in the order of the example file.

    The key of a stage is `product/stage`, which is the `stage` of a touchpoint.
    """
    whole = workspace.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    products = whole.pop("products")
    parts = {name: {entity["id"]: entity for entity in whole.pop(name, ())} for name in LISTS}
    stages = {f"{product['id']}/{stage['id']}": stage for product in products for stage in product["stages"]}
    return {
        PLAIN: {"": whole},
        "departments": parts.pop("departments"),
        "people": parts.pop("people"),
        "products": {product["id"]: _without(product, "stages") for product in products},
        "stages": {key: _without(stage, "touchpoints") for key, stage in stages.items()},
        "touchpoints": {
            touchpoint["id"]: {**touchpoint, "stage": key}
            for key, stage in stages.items()
            for touchpoint in stage["touchpoints"]
        },
        **parts,
    }


def join(parts: Parts) -> dict[str, object]:
    """The values of the workspace with these parts. What is inside of nothing is left out; see `orphans`."""
    touchpoints: dict[str, list[Fields]] = {key: [] for key in parts["stages"]}
    for touchpoint in parts["touchpoints"].values():
        touchpoints.get(touchpoint["stage"], []).append(_without(touchpoint, "stage"))
    stages: dict[str, list[Fields]] = {key: [] for key in parts["products"]}
    for key, stage in parts["stages"].items():
        stages.get(_product(key), []).append({**stage, "touchpoints": touchpoints[key]})
    products = [{**product, "stages": stages[key]} for key, product in parts["products"].items()]
    lists = {name: list(parts[name].values()) for name in LISTS if parts[name]}
    return {**parts[PLAIN][""], **lists, "products": products}


def orphans(parts: Parts) -> Iterator[tuple[str, str, str]]:
    """(kind, key, key of the stage or product that is missing) of every entity that is inside of nothing."""
    for key in parts["stages"]:
        if _product(key) not in parts["products"]:
            yield "stages", key, _product(key)
    for key, touchpoint in parts["touchpoints"].items():
        if touchpoint["stage"] not in parts["stages"]:
            yield "touchpoints", key, touchpoint["stage"]


def _product(stage: str) -> str:
    return stage.partition("/")[0]


def _without(entity: Fields, field: str) -> Fields:
    return {name: value for name, value in entity.items() if name != field}
