"""Forks and joins: which touchpoints lie next to which."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from shared.domain.journey import Product, Stage, Touchpoint, neighbours, predecessors


def journey(*stages: str) -> Product:
    """Each stage a line: "quote order<quote install<order,credit" with what comes before behind the "<"."""
    return Product(
        id="portal",
        name="Portal",
        pm="pia",
        stages=tuple(
            Stage(id=f"s{n}", name=f"Stage {n}", touchpoints=tuple(map(touchpoint, stage.split())))
            for n, stage in enumerate(stages)
        ),
    )


def touchpoint(text: str) -> Touchpoint:
    name, fork, before = text.partition("<")
    after = tuple(before.split(",")) if before else ()
    return Touchpoint(id=name, name=name, after=after if fork else None)


STRAIGHT = journey("advert", "quote order", "invoice")
FORK = journey("quote", "online<quote shop<quote", "welcome<online,shop invoice")


@pytest.mark.parametrize(
    ("product", "expected"),
    [
        (STRAIGHT, {"advert": (), "quote": ("advert",), "order": ("quote",), "invoice": ("order",)}),
        (
            FORK,
            {
                "quote": (),
                "online": ("quote",),
                "shop": ("quote",),
                "welcome": ("online", "shop"),
                "invoice": ("welcome",),
            },
        ),
    ],
)
def test_what_comes_before(product: Product, expected: dict[str, tuple[str, ...]]) -> None:
    assert predecessors(product) == expected


@pytest.mark.parametrize(
    ("product", "touchpoint_id", "expected"),
    [
        (STRAIGHT, "advert", ("quote",)),
        (STRAIGHT, "quote", ("advert", "order")),
        (STRAIGHT, "invoice", ("order",)),
        (FORK, "quote", ("online", "shop")),
        (FORK, "online", ("quote", "welcome")),
        (FORK, "shop", ("quote", "welcome")),
        (FORK, "welcome", ("online", "shop", "invoice")),
        (STRAIGHT, "unknown", ()),
        (journey("alone"), "alone", ()),
    ],
)
def test_neighbours_are_those_before_and_after_on_every_branch(
    product: Product, touchpoint_id: str, expected: tuple[str, ...]
) -> None:
    assert neighbours(product, touchpoint_id) == expected


def test_a_start_of_its_own_is_declared_with_an_empty_after() -> None:
    product = journey("advert quote", "recommendation< welcome<quote,recommendation")
    assert predecessors(product)["recommendation"] == ()
    assert neighbours(product, "recommendation") == ("welcome",)
    assert neighbours(product, "quote") == ("advert", "welcome")


def test_a_journey_may_come_back_to_where_it_was() -> None:
    product = journey("order<renewal", "invoice", "renewal")
    assert neighbours(product, "order") == ("invoice", "renewal")
    assert neighbours(product, "renewal") == ("order", "invoice")


def test_neighbourhood_is_mutual() -> None:
    for product in (STRAIGHT, FORK):
        for one in product.touchpoints:
            assert all(one.id in neighbours(product, other) for other in neighbours(product, one.id))


@pytest.mark.parametrize("change", [{"stages": ()}, {"id": "Not Readable"}, {"id": ""}, {"wish": "more"}])
def test_what_is_no_journey(change: dict[str, object]) -> None:
    declared = STRAIGHT.model_dump() | change
    with pytest.raises(ValidationError):
        Product.model_validate(declared)


def test_a_stage_has_a_touchpoint() -> None:
    with pytest.raises(ValidationError):
        Stage(id="empty", name="Empty", touchpoints=())
