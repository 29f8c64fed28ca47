"""A JSON object a line: our own items as they are, anything else by its keys."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from deploy.cli.output import Failed
from tests.unit.deploy.cli.importing.files import chunks_of, planned, written


def lines(*values: object) -> str:
    return "".join((value if isinstance(value, str) else json.dumps(value)) + "\n" for value in values)


def sent(path: Path, **wishes: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - of Wishes
    return [json.loads(body) for chunk in chunks_of(path, **wishes) for body in chunk.bodies]


def test_items_of_our_own_are_sent_as_they_are(tmp_path: Path) -> None:
    own = {
        "text": "The bill is wrong.",
        "external_id": "t-1",
        "revision": 3,
        "mode": "live",
        "author": {"email": "ada@x.example"},
        "rating": {"value": 3},
        "attachments": [{"name": "a", "content": "YQ=="}],
    }
    first, second = sent(written(tmp_path / "a.ndjson", lines(own, {"text": "Fine.", "mode": "backfill"})))
    assert {**own, "mode": "import"}.items() <= first.items()
    assert (second["mode"], second["ordinal"], second["source"]) == ("backfill", 0, "a")


def test_anything_else_is_mapped_by_its_keys(tmp_path: Path) -> None:
    ticket = {
        "ticket": {"id": 17, "requester": {"email": "ada@x.example"}, "tags": ["a"]},
        "comments": [{"body": "The bill is wrong again, and nobody calls back."}],
        "created_at": "2026-05-04T09:30:00Z",
        "score": 4.0,
    }
    path = written(tmp_path / "a.jsonl", lines(ticket))
    with planned(path) as plan:
        assert set(plan.reader.columns) == {
            "ticket.id",
            "ticket.requester.email",
            "comments.0.body",
            "created_at",
            "score",
        }
    (item,) = sent(path)
    assert item["text"] == ticket["comments"][0]["body"]  # type: ignore[index] # made above
    assert (item["external_id"], item["author"]) == ("17", {"email": "ada@x.example"})
    assert item["rating"]["value"] == 4


def test_what_is_no_object_costs_its_line_alone(tmp_path: Path) -> None:
    content = lines({"comment": "It is bad, really."}, "{broken", "[1]", "", {"comment": "It is good, too."})
    (chunk,) = chunks_of(written(tmp_path / "a.ndjson", content))
    assert [row.number for row, _ in chunk.refused] == [2, 3]
    assert chunk.refused[0][0].cells == {"import_raw": "{broken"}
    assert len(chunk.bodies) == 2


def test_a_line_beyond_all_bounds_costs_itself_alone(tmp_path: Path) -> None:
    content = lines({"comment": "It is bad."}, {"comment": "x" * 9_000_000}, {"comment": "It is good."})
    chunks = chunks_of(written(tmp_path / "a.ndjson", content))
    assert [row.number for chunk in chunks for row, _ in chunk.refused] == [2]
    assert sum(len(chunk.bodies) for chunk in chunks) == 2


def test_a_json_array_is_told_how_to_become_lines(tmp_path: Path) -> None:
    path = written(tmp_path / "a.json", '[{"text": "It is bad."}]')
    with pytest.raises(Failed, match="one JSON array") as refusal, planned(path):
        pass
    assert "jq" in refusal.value.remedy


def test_what_is_in_a_file_counts_more_than_its_name(tmp_path: Path) -> None:
    path = written(tmp_path / "export", lines({"comment": "It is bad."}))
    with planned(path) as plan:
        assert plan.reader.format == "ndjson"
