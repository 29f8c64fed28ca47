"""What the pages and the schema of `POST /v1/feedback` promise about it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

from services.ingest.channels.rest import RestChannel
from services.ingest.channels.rest_schema import ROUTE_DOCUMENTATION
from services.ingest.domain.rest.item import Item
from shared.domain.directory import Directory
from shared.errors import DependencyDown
from tests.support.doors import Doors

_PAGE = Path(__file__).parents[5] / "docs" / "doors.md"


async def test_the_example_of_the_page_can_be_followed_by_an_edit_with_the_next_number(house: Doors) -> None:
    found = re.search(r"-d '(\{.*?\})'", _PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    first = json.loads(found[1])
    await house.post(first)
    await house.post({**first, "text": "It is not.", "revision": first["revision"] + 1})
    said, edited = house.events
    assert said.feedback_id == edited.feedback_id
    assert edited.revision > said.revision


def test_the_schema_says_that_revisions_are_sent_always_or_never() -> None:
    said = Item.model_json_schema()["properties"]["revision"]["description"]
    assert "older" in said
    assert said in json.dumps(ROUTE_DOCUMENTATION["openapi_extra"], ensure_ascii=False)


async def test_a_hint_that_names_nothing_is_said_and_costs_no_piece(house: Doors) -> None:
    item = {"text": "It is wrong.", "touchpoint": "invoce", "product": "portal"}
    answer = await house.post(item)
    assert answer.status_code == 202
    (warning,) = answer.json()["warnings"]
    assert warning["pointer"] == "/touchpoint"
    assert warning["remedy"] == "did you mean 'invoice'?"
    assert len(house.events) == 1
    many = (await house.post([{"text": "Fine."}, {**item, "product": "zzz"}, {"text": ""}])).json()["results"]
    assert ["warnings" in result for result in many] == [False, True, False]
    assert [warning["pointer"] for warning in many[1]["warnings"]] == ["/1/product", "/1/touchpoint"]


async def test_hints_are_taken_as_they_are_while_there_is_no_directory(house: Doors) -> None:
    def away() -> Directory:
        raise DependencyDown("directory")

    (rest,) = [channel for channel in house.channels if isinstance(channel, RestChannel)]
    rest._taking._context = replace(house.context, directory=away)
    answer = await house.post({"text": "It is wrong.", "touchpoint": "invoce"})
    assert answer.status_code == 202
    assert "warnings" not in answer.json()
