"""CloudEvents whose data is no item: a mapping by their type and source says what they are."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from services.ingest.channels.cloudevents import CloudEventsChannel
from shared.domain.directory import Directory
from shared.domain.event_mapping import EventMapping, mapping_for
from shared.domain.workspace import Workspace, faults
from shared.errors import DependencyDown
from tests.support.doors import Doors, doors
from tests.support.submissions import WORKSPACE
from tests.unit.services.ingest.channels.test_cloudevents import post, structured

REVIEWS: dict[str, Any] = {
    "id": "reviews",
    "type": "com.shop.review.*",
    "source": "//shop.example",
    "map": {
        "text": "data.review.body",
        "external_id": "subject",
        "author.email": "data.customer",
        "rating.value": "data.review.stars",
        "rating.min": "`1`",
        "rating.max": "`5`",
    },
    "affiliation": "customer",
    "touchpoint": "invoice",
}
DATA = {"review": {"body": "The invoice is wrong.", "stars": 2}, "customer": "ada@customer.example"}
EVENT = {"type": "com.shop.review.written", "source": "//shop.example", "subject": "review 7", "data": DATA}


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[Doors]:
    async with doors(tmp_path) as opened:
        declare(opened, REVIEWS)
        yield opened


def workspace(*mappings: dict[str, Any]) -> Workspace:
    declared = WORKSPACE.model_dump(mode="json", by_alias=True)
    return Workspace.model_validate({**declared, "cloudevents": list(mappings)})


def declare(house: Doors, *mappings: dict[str, Any]) -> CloudEventsChannel:
    directory = Directory(workspace(*mappings), 2)
    (channel,) = [channel for channel in house.channels if isinstance(channel, CloudEventsChannel)]
    channel._context = replace(channel._context, directory=lambda: directory)
    return channel


async def test_an_event_of_the_declared_type_and_source_is_taken_by_its_mapping(house: Doors) -> None:
    assert (await structured(house, **EVENT)).status_code == 202
    (event,) = house.events
    assert (event.channel, event.source, event.external_id) == ("cloudevents", "shop", "review 7")
    assert event.text == "The invoice is wrong."
    assert event.rating is not None
    assert (event.rating.value, event.rating.min, event.rating.max) == (2, 1, 5)
    assert event.hints.touchpoint == "invoice"
    assert event.reported_by.affiliation == "customer"


async def test_it_is_the_same_piece_in_binary_mode_and_in_a_batch(house: Doors) -> None:
    await structured(house, **EVENT)
    binary = {"ce_specversion": "1.0", "ce_id": "A-1", "ce_subject": "review%207"}
    names = {"ce_source": "//shop.example", "ce_type": "com.shop.review.written"}
    assert (await post(house, DATA, "application/json", **binary, **names)).status_code == 202
    batch = [{"specversion": "1.0", "id": "A-1", **EVENT}]
    assert (await post(house, batch, "application/cloudevents-batch+json")).status_code == 202
    assert len({event.feedback_id for event in house.events}) == 1


async def test_events_of_other_types_and_sources_are_items_as_before(house: Doors) -> None:
    for other in ({"type": "com.shop.order"}, {"source": "//other.example"}):
        assert (await structured(house, **{**EVENT, **other})).status_code == 422
        said = {**EVENT, **other, "data": {"text": "Too slow."}}
        assert (await structured(house, **said)).status_code == 202
    assert {event.text for event in house.events} == {"Too slow."}


async def test_what_does_not_fit_is_answered_with_its_place_and_costs_no_neighbour(house: Doors) -> None:
    answer = await structured(house, **{**EVENT, "data": {"review": {"body": {"odd": 1}}}})
    assert (answer.status_code, answer.json()["pointer"]) == (422, "/data")
    assert "'reviews' does not fit: `text` leads to an object" in answer.json()["detail"]
    good, bad = {"specversion": "1.0", "id": "1", **EVENT}, {"specversion": "1.0", "id": "2", **EVENT}
    bad["data"] = {"review": 7}
    answer = await post(house, [good, bad], "application/cloudevents-batch+json")
    assert [result["status"] for result in answer.json()["results"]] == ["accepted", "rejected"]


async def test_a_changed_mapping_is_used_from_then_on(house: Doors) -> None:
    declare(house, {**REVIEWS, "map": {"text": "data.review.title"}})
    await structured(house, **{**EVENT, "data": {"review": {"title": "Now mapped."}}})
    assert [event.text for event in house.events] == ["Now mapped."]


async def test_before_a_workspace_is_applied_items_are_kept_and_others_come_again(house: Doors) -> None:
    channel = declare(house)

    def none_yet() -> Directory:
        raise DependencyDown("directory", "none is applied yet")

    channel._context = replace(channel._context, directory=none_yet)
    assert (await structured(house, **EVENT)).status_code == 503
    assert (await structured(house, data="Too slow.")).status_code == 202


@pytest.mark.parametrize(
    ("event_type", "source", "wanted"),
    [
        ("a.b", "s", "exact"),
        ("a.b", "t", "type"),
        ("a.c", "t", "begins"),
        ("x", "s", "source"),
        ("x", "t", None),
    ],
)
@pytest.mark.parametrize("order", [1, -1])
def test_the_narrowest_that_fits_is_used_whatever_their_order(
    event_type: str, source: str, wanted: str | None, order: int
) -> None:
    declared = [
        EventMapping(id=name, type=of, source=by, map={"text": "data"})
        for name, of, by in (
            ("begins", "a.*", None),
            ("source", None, "s"),
            ("type", "a.b", None),
            ("exact", "a.b", "s"),
        )
    ]
    found = mapping_for(declared[::order], event_type, source)
    assert (found.id if found else None) == wanted


@pytest.mark.parametrize(
    ("mappings", "path"),
    [
        ([{"id": "a", "map": {"text": "data"}}], ()),
        ([{"id": "a", "type": "t", "map": {"title": "data["}}], ("map", "title")),
        ([{"id": "a", "type": "t", "map": {"words": "data", "text": "data"}}], ("map", "words")),
        ([{"id": "a", "type": "t", "map": {"url": "data"}}], ("map",)),
        ([{"id": name, "type": "t", "map": {"text": "data"}} for name in "ab"], ()),
        ([{"id": "a", "type": kind, "map": {"text": "data"}} for kind in "tu"], ("id",)),
    ],
)
def test_what_is_wrong_with_a_declaration_is_told_with_its_path(
    mappings: list[dict[str, Any]], path: tuple[str, ...]
) -> None:
    found = faults(workspace(*mappings))
    assert [fault.path for fault in found] == [("cloudevents", len(mappings) - 1, *path)]
