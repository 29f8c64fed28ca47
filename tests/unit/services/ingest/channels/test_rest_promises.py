"""What the pages and the schema of `POST /v1/feedback` promise about it."""

from __future__ import annotations

import json
import re
from pathlib import Path

from services.ingest.channels.rest_schema import ROUTE_DOCUMENTATION
from services.ingest.domain.rest.item import Item
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
