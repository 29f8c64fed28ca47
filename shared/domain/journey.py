"""The customer's journey: product → stage → touchpoint → element, and which touchpoints lie next to which."""

from __future__ import annotations

from pydantic import Field

from shared.domain.entity import Entity, Id, Name, Text


class Element(Entity):
    """A part of a touchpoint somebody may speak of: the line on the bill."""

    id: Id
    name: Name


class Touchpoint(Entity):
    """A moment at which a customer meets the product.

    `description`, `keywords` and `examples` are what the classifier knows it by. `after` names the
    touchpoints that come immediately before this one; left out, it is the one declared before it, also
    across stages.
    """

    id: Id
    name: Name
    description: Text = ""
    keywords: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    elements: tuple[Element, ...] = ()
    owner: Id | None = Field(default=None, description="the PM of this touchpoint; else the product's PM")
    agents: tuple[Id, ...] = ()
    after: tuple[Id, ...] | None = None


class Stage(Entity):
    id: Id
    name: Name
    touchpoints: tuple[Touchpoint, ...] = Field(min_length=1)


class Product(Entity):
    id: Id
    name: Name
    description: Text = ""
    keywords: tuple[str, ...] = ()
    pm: Id
    stages: tuple[Stage, ...] = Field(min_length=1)

    @property
    def touchpoints(self) -> tuple[Touchpoint, ...]:
        """In the order of the journey."""
        return tuple(touchpoint for stage in self.stages for touchpoint in stage.touchpoints)


def predecessors(product: Product) -> dict[str, tuple[str, ...]]:
    """For each touchpoint, those immediately before it: several at a join, none at the start."""
    found: dict[str, tuple[str, ...]] = {}
    previous: tuple[str, ...] = ()
    for touchpoint in product.touchpoints:
        found[touchpoint.id] = previous if touchpoint.after is None else touchpoint.after
        previous = (touchpoint.id,)
    return found


def neighbours(product: Product, touchpoint_id: str) -> tuple[str, ...]:
    """The touchpoints immediately before and after, every branch at a fork or join, in journey order."""
    before = predecessors(product)
    near = set(before.get(touchpoint_id, ()))
    near |= {other for other, earlier in before.items() if touchpoint_id in earlier}
    return tuple(t.id for t in product.touchpoints if t.id in near)
