"""From a file to what is sent: items, ordinals, refused rows; the same whenever it is read again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from deploy.cli.importing.chunks import Chunk, Chunks
from deploy.cli.importing.plan import source_of
from deploy.cli.importing.readers import Reading
from deploy.cli.importing.values import Scale
from deploy.cli.output import Failed
from tests.unit.deploy.cli.importing.files import chunks_of, planned, written


def items(chunks: list[Chunk]) -> list[dict[str, Any]]:
    """Without what is the same in all."""
    return [
        {name: value for name, value in json.loads(body).items() if name not in {"mode", "batch", "source"}}
        for chunk in chunks
        for body in chunk.bodies
    ]


def refused(chunks: list[Chunk]) -> list[tuple[int, str]]:
    return [(row.number, fault.field) for chunk in chunks for row, fault in chunk.refused]


def test_a_row_becomes_an_item(tmp_path: Path) -> None:
    path = written(
        tmp_path / "Survey 2026.csv",
        "Antwort-ID;Kommentar;Datum;E-Mail;Name;NPS\n"
        "r-1;Die Rechnung ist falsch, schon wieder.;04.05.2026 11:30;ada@customer.example;Ada;9\n"
        "r-2;Sehr gern wieder, alles lief gut.;05.05.2026 08:00;n/a;;10\n",
    )
    first, second = items(chunks_of(path, maps=["external_id=Antwort-ID"], sets=["touchpoint=bill"]))
    assert first == {
        "touchpoint": "bill",
        "text": "Die Rechnung ist falsch, schon wieder.",
        "external_id": "r-1",
        "occurred_at": "2026-05-04T11:30:00+00:00",
        "author": {"email": "ada@customer.example", "name": "Ada"},
        "rating": {"value": 9, "min": 0, "max": 10, "kind": "nps"},
    }
    assert "author" not in second


def test_what_is_the_same_in_all_says_where_they_are_from(tmp_path: Path) -> None:
    path = written(tmp_path / "reviews.csv", "comment\nThe bill is wrong.\n")
    with planned(path) as plan:
        (chunk,) = Chunks(plan)
    sent = json.loads(chunk.bodies[0])
    assert (sent["mode"], sent["batch"], sent["source"], sent["ordinal"]) == ("import", plan.id, "reviews", 0)
    with planned(path, channel="app_store", source="de.example") as other:
        (chunk,) = Chunks(other)
    sent = json.loads(chunk.bodies[0])
    assert (sent["channel"], sent["source"]) == ("app_store", "de.example")
    assert other.id != plan.id


def test_equal_rows_are_counted_over_the_whole_file(tmp_path: Path) -> None:
    rows = "\n".join(["Fine, thank you.", "It is too slow."] * 1_200)
    found = items(chunks_of(written(tmp_path / "a.csv", f"comment\n{rows}\n")))
    assert len(found) == 2_400
    assert [item["ordinal"] for item in found if item["text"] == "Fine, thank you."] == list(range(1_200))


def test_equal_words_of_others_or_at_another_time_are_other_rows(tmp_path: Path) -> None:
    rows = [
        "Fine.,ada@x.example,2026-05-04",
        "Fine.,bo@x.example,2026-05-04",
        "Fine.,ada@x.example,2026-05-05",
    ]
    found = items(chunks_of(written(tmp_path / "a.csv", "comment,email,date\n" + "\n".join(rows))))
    assert [item["ordinal"] for item in found] == [0, 0, 0]


def test_nothing_of_who_said_it_is_in_what_makes_a_row_the_same(tmp_path: Path) -> None:
    """Who knows the words could try authors; the ordinal says nothing of them."""
    path = written(tmp_path / "a.csv", "comment,email,confidential\nIt is bad.,ada@x.example,yes\n")
    (item,) = items(chunks_of(path))
    assert item == {
        "text": "It is bad.",
        "author": {"email": "ada@x.example"},
        "confidential": True,
        "ordinal": 0,
    }


def test_an_id_that_comes_twice_is_refused_instead_of_replacing_the_first(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.csv",
        "id,comment\n" + "\n".join(f"{n},text {n} it is" for n in range(300)) + "\n7,other\n",
    )
    chunks = chunks_of(path)
    assert refused(chunks) == [(302, "external_id")]
    assert len(items(chunks)) == 300


def test_versions_of_one_thing_may_have_one_id(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.csv", "id,comment,updated at\n1,before it was,2026-05-04\n1,after it was,2026-05-05\n"
    )
    found = items(chunks_of(path, maps=["external_id=id"]))
    assert [item["revision"][:10] for item in found] == ["2026-05-04", "2026-05-05"]


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ("4,2026-05-04,no,", "text"),
        ("4,2026-05-04,no,   ", "text"),
        ("4,32.13.2026,no,It is bad.", "occurred_at"),
        ("9,2026-05-04,no,It is bad.", "rating"),
        ("4,2026-05-04,perhaps,It is bad.", "confidential"),
    ],
)
def test_what_is_wrong_with_a_row_names_its_field_and_costs_no_other(
    tmp_path: Path, row: str, field: str
) -> None:
    good = "5,2026-05-04,no,It is good and we like it."
    path = written(
        tmp_path / "a.csv", "\n".join(["rating,date,confidential,comment", *[good] * 250, row, good])
    )
    chunks = chunks_of(path, maps=["text=comment"] if field != "text" else [])
    if field == "text":
        # A rating without a word has nothing to be read: it is counted, and no mistake.
        assert sum(chunk.left_out for chunk in chunks) == 1
        assert not refused(chunks)
    else:
        assert refused(chunks) == [(252, field)]
    assert len(items(chunks)) == 251


def test_a_row_without_words_and_rating_is_refused(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.csv", "email,comment\nada@x.example,\nbo@x.example,It is good and we like it.\n"
    )
    assert refused(chunks_of(path)) == [(2, "text")]


def test_zone_scale_and_form_of_dates_can_be_said(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "comment,date,score\nIt is good.,03/04/2026 10:00,7\n")
    berlin: dict[str, Any] = {"zone": ZoneInfo("Europe/Berlin"), "zone_name": "Europe/Berlin"}
    (item,) = items(chunks_of(path, date_form="mdy", scale=Scale(0, 7, "ces"), **berlin))
    assert item["occurred_at"] == "2026-03-04T10:00:00+01:00"
    assert item["rating"] == {"value": 7, "min": 0, "max": 7, "kind": "ces"}


def test_what_is_uncertain_is_said(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "comment,date,nps\nIt is good.,03/04/2026 10:00,7\n")
    with planned(path) as plan:
        said = " ".join(plan.notes)
    assert "could be read another way" in said
    assert "taken as UTC" in said
    assert "0 to 10 (nps)" in said


def test_the_same_file_and_mapping_are_the_same_import(tmp_path: Path) -> None:
    rows = "".join(f"text number {number},no\n" for number in range(30))
    path = written(tmp_path / "a.csv", "comment,other\n" + rows)

    def import_id(**wishes: Any) -> str:  # noqa: ANN401 - of Wishes
        with planned(path, **wishes) as plan:
            return plan.id

    first = import_id()
    assert import_id() == first
    assert import_id(maps=["title=other"]) != first
    assert import_id(sets=["touchpoint=bill"]) != first
    assert import_id(source="b") != first
    written(path, "comment,other\n" + rows + "one more text,no\n")
    assert import_id() == first
    written(path, "comment,other\n" + rows.replace("number 3,", "number three,"))
    assert import_id() != first


def test_the_source_of_what_was_refused_is_that_of_the_file(tmp_path: Path) -> None:
    for name in ("reviews.csv", "reviews.csv.gz", "reviews.csv.errors.csv", "reviews.csv.errors-2.csv"):
        assert source_of(tmp_path / name) == "reviews"


def test_without_a_text_it_asks_which_column_it_is(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "id,score\n1,2\n2,3\n")
    with pytest.raises(Failed, match="which column") as refusal, planned(path):
        pass
    assert "id, score" in refusal.value.remedy


def test_a_channel_needs_its_source(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "comment\nIt is good.\n")
    with pytest.raises(Failed, match="--channel needs its --source"), planned(path, channel="zendesk"):
        pass
    with pytest.raises(Failed, match="no name of a channel"), planned(path, channel="Zen Desk", source="x"):
        pass


def test_chunks_are_small_whatever_the_rows_are(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "comment\n" + "\n".join(f"{n} " + "long " * 15_000 for n in range(60)))
    chunks = chunks_of(path, Reading(delimiter=";"))
    assert len(chunks) > 3
    assert all(sum(map(len, chunk.bodies)) < 1_200_000 for chunk in chunks)
    assert [chunk.done for chunk in chunks][-1] == 60
