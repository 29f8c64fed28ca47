"""Sheets of workbooks as they are shown."""

from __future__ import annotations

import json
import zipfile
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from deploy.cli.importing import shared_strings
from deploy.cli.importing.readers import Reading
from deploy.cli.output import Failed
from tests.unit.deploy.cli.importing.files import chunks_of, planned, written


def workbook(path: Path, *rows: list[Any], more: str | None = None) -> Path:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "Answers"
    for row in rows:
        sheet.append(row)
    if more:
        book.create_sheet(more).append(["comment"])
        book[more].append(["From the other sheet, it is."])
    book.save(path)
    return path


_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"


def as_excel_writes(path: Path, words: list[str]) -> Path:
    """One column whose words stand in a table of their own, with runs of formatting within them."""
    rows = range(1, len(words) + 1)
    cells = "".join(f'<row r="{n}"><c r="A{n}" t="s"><v>{n - 1}</v></c></row>' for n in rows)
    strings = "".join(f"<si><r><t>{word[:4]}</t></r><r><t>{word[4:]}</t></r></si>" for word in words)
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPE}.worksheet+xml"/>'
        f'<Override PartName="/xl/sharedStrings.xml" ContentType="{_TYPE}.sharedStrings+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
        f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
        '<sheet name="One" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" '
        'Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{_MAIN}"><sheetData>{cells}</sheetData></worksheet>',
        "xl/sharedStrings.xml": f'<sst xmlns="{_MAIN}">{strings}</sst>',
    }
    with zipfile.ZipFile(path, "w") as book:
        for name, content in parts.items():
            book.writestr(name, content)
    return path


HEAD = ["ID", "Kommentar", "Datum", "Bewertung"]
GOOD = [17, "Die Rechnung ist falsch.", datetime(2026, 5, 4, 9, 30), 4]  # noqa: DTZ001 - as Excel has it


def sent(path: Path, reading: Reading | None = None, **wishes: Any) -> list[dict[str, Any]]:  # noqa: ANN401
    return [json.loads(body) for chunk in chunks_of(path, reading, **wishes) for body in chunk.bodies]


def test_dates_and_numbers_are_read_as_what_they_are(tmp_path: Path) -> None:
    (item,) = sent(workbook(tmp_path / "a.xlsx", HEAD, GOOD))
    assert item["external_id"] == "17"
    assert item["occurred_at"] == datetime(2026, 5, 4, 9, 30, tzinfo=UTC).isoformat()
    assert item["rating"] == {"value": 4, "min": 1, "max": 5, "kind": "stars"}


def test_empty_rows_and_cells_are_nothing_and_rows_keep_their_numbers(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "a.xlsx",
        HEAD,
        [None] * 4,
        [18, "Alles ist gut.", date(2026, 5, 5), None],
        [],
        [19, None, None, None],
    )
    (chunk,) = chunks_of(path)
    assert [row.number for row in chunk.rows] == [3]
    assert [row.number for row, _ in chunk.refused] == [5]


def test_a_sheet_is_chosen_by_its_name(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", HEAD, GOOD, more="Other")
    (item,) = sent(path, Reading(sheet="Other"))
    assert item["text"] == "From the other sheet, it is."
    with pytest.raises(Failed, match="no sheet 'Othr'") as refusal, planned(path, Reading(sheet="Othr")):
        pass
    assert "did you mean 'Other'" in refusal.value.remedy


def test_words_of_a_large_workbook_are_read_from_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = as_excel_writes(tmp_path / "a.xlsx", ["comment", "Text Nr. 0, größer", "Text Nr. 1, größer"])
    expected = sent(path)
    assert [item["text"] for item in expected] == ["Text Nr. 0, größer", "Text Nr. 1, größer"]
    monkeypatch.setattr(shared_strings, "_SMALL_BYTES", 0)
    assert sent(path) == expected
    monkeypatch.setattr(shared_strings, "_MOST_BYTES", 10)
    with pytest.raises(Failed, match="unpacks to more"), planned(path):
        pass


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"PK\x03\x04 and no more", "no workbook"), (b"\xd0\xcf\x11\xe0 old", "before 2007")],
)
def test_what_is_no_workbook_is_said(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(Failed, match=said), planned(written(tmp_path / "a.xlsx", content)):
        pass
