"""CSV as it is found: every encoding, delimiter and accident, and what becomes of the rows beside it."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from deploy.cli.importing.opened import Opened
from deploy.cli.importing.readers import Reading
from deploy.cli.importing.table_csv import CsvReader
from deploy.cli.output import Failed
from tests.unit.deploy.cli.importing.files import chunks_of, planned, written

_OPEN = ExitStack()
ROWS = [("1", "Die Übertragung hängt; schön ist das nicht."), ("2", "Größe «A» fehlt, schade, 5 € mehr")]


def read(
    path: Path, encoding: str | None = None, delimiter: str | None = None, *, header: bool | None = None
) -> CsvReader:
    opened = Opened(path)
    _OPEN.callback(opened.close)
    return CsvReader(opened, encoding=encoding, delimiter=delimiter, header=header)


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    with _OPEN:
        yield


def cells(reader: CsvReader) -> list[list[str]]:
    return [row.cells for row in reader.rows() if row.fault is None]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_encoding_and_delimiter_are_found(tmp_path: Path, encoding: str, delimiter: str) -> None:
    table = "".join(f'{number}{delimiter}"{text}"\r\n' for number, text in ROWS * 5)
    reader = read(written(tmp_path / "a.csv", f"id{delimiter}Kommentar\r\n{table}", encoding))
    assert reader.columns == ("id", "Kommentar")
    assert cells(reader) == [list(row) for row in ROWS * 5]
    assert reader.dialect.delimiter == delimiter


def test_the_first_letter_that_is_no_ascii_may_stand_far_down(tmp_path: Path) -> None:
    plain = "id,comment\n" + "1,all of this is plain\n" * 100_000
    for encoding in ("utf-8", "cp1252"):
        reader = read(
            written(
                tmp_path / f"{encoding}.csv",
                plain + "2,schön und größer geht es äußerst übel\n" * 9,
                encoding,
            )
        )
        assert cells(reader)[-1] == ["2", "schön und größer geht es äußerst übel"]


def test_a_byte_that_is_no_text_costs_its_row_alone(tmp_path: Path) -> None:
    content = "id,comment\n1,schön\n".encode() + b"2,sch\xf6n\n" + "3,größer\n".encode()
    (chunk,) = chunks_of(written(tmp_path / "a.csv", content), maps=["text=comment"])
    ((row, fault),) = chunk.refused
    assert (row.number, len(chunk.bodies)) == (3, 2)
    assert "--encoding" in fault.remedy


def test_line_ends_and_quotes_within_a_text_stay(tmp_path: Path) -> None:
    reader = read(written(tmp_path / "a.csv", 'id,comment\n1,"one\r\ntwo, ""three"""\r\n2,four\n'))
    assert cells(reader) == [["1", 'one\r\ntwo, "three"'], ["2", "four"]]


def test_a_quotation_mark_that_nobody_closes_costs_its_row_alone(tmp_path: Path) -> None:
    content = 'id,comment\n1,fine\n2,"oh\n3,also fine\n4,fine too\n'
    rows = list(read(written(tmp_path / "a.csv", content)).rows())
    assert [(row.number, row.cells, row.fault is None) for row in rows] == [
        (2, ["1", "fine"], True),
        (3, ['2,"oh'], False),
        (4, ["3", "also fine"], True),
        (5, ["4", "fine too"], True),
    ]


def test_a_quotation_mark_that_is_never_closed_does_not_swallow_a_large_file(tmp_path: Path) -> None:
    content = 'id,comment\n1,"oh\n' + "".join(f"{number},fine\n" for number in range(300_000))
    rows = list(read(written(tmp_path / "a.csv", content)).rows())
    assert len(rows) == 300_001
    assert [row.number for row in rows if row.fault] == [2]


def test_ragged_rows_are_filled_or_refused_but_never_cut(tmp_path: Path) -> None:
    content = (
        "id,comment,mail\n1,short\n2,a text, with a comma,x@y.example\n3,long,z@y.example,,\n\n4,fine,\n"
    )
    rows = list(read(written(tmp_path / "a.csv", content), delimiter=",").rows())
    assert [(row.number, row.cells) for row in rows if row.fault is None] == [
        (2, ["1", "short", ""]),
        (4, ["3", "long", "z@y.example"]),
        (6, ["4", "fine", ""]),
    ]
    (refused,) = [row for row in rows if row.fault]
    assert refused.number == 3
    assert refused.cells == ["2", "a text", " with a comma", "x@y.example"]


def test_nul_characters_are_left_out(tmp_path: Path) -> None:
    assert cells(read(written(tmp_path / "a.csv", "id,comment\n1,a\0b\n"))) == [["1", "ab"]]


def test_a_line_that_names_the_delimiter_is_obeyed(tmp_path: Path) -> None:
    reader = read(written(tmp_path / "a.csv", "sep=|\r\nid|comment\r\n1|one, two; three\r\n"))
    assert (reader.columns, cells(reader)) == (("id", "comment"), [["1", "one, two; three"]])


def test_a_file_of_one_column_is_not_cut_at_its_commas(tmp_path: Path) -> None:
    texts = ["Well, that is fine.", "No.", "Yes, and, as I said, no."]
    reader = read(written(tmp_path / "a.csv", "Comment\n" + "\n".join(texts)))
    assert cells(reader) == [[text] for text in texts]


def test_without_a_header_columns_have_numbers_and_it_says_so(tmp_path: Path) -> None:
    content = "2026-05-04,ada@customer.example,The bill is wrong again.\n" * 3
    reader = read(written(tmp_path / "a.csv", content))
    assert reader.columns == ("1", "2", "3")
    assert len(cells(reader)) == 3
    assert "no header" in " ".join(reader.notes)


def test_a_header_can_be_said_to_be_there_or_not(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "id,comment\n1,fine\n")
    assert len(cells(read(path, header=False))) == 2


def test_columns_of_equal_or_no_name_are_told_apart(tmp_path: Path) -> None:
    assert read(written(tmp_path / "a.csv", "text,note,note,\n1,2,3,4\n")).columns == (
        "text",
        "note",
        "note (3)",
        "4",
    )


def test_what_is_packed_is_read_as_it_is_unpacked(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="w") as file:
        file.write(b"id,comment\n1,fine\n")
    assert cells(read(written(tmp_path / "a.csv.gz", packed.getvalue()))) == [["1", "fine"]]


def test_a_cell_beyond_all_bounds_costs_its_row_alone(tmp_path: Path) -> None:
    content = "id,comment\n1,fine\n2," + "x" * 2_000_000 + "\n3,fine\n"
    rows = list(read(written(tmp_path / "a.csv", content)).rows())
    assert [row.number for row in rows if row.fault] == [3]
    assert rows[-1].cells == ["3", "fine"]


@pytest.mark.parametrize(
    ("encoding", "delimiter", "said"), [("klingon", None, "klingon"), (None, "::", "::")]
)
def test_what_there_is_not_is_said(
    tmp_path: Path, encoding: str | None, delimiter: str | None, said: str
) -> None:
    with pytest.raises(Failed, match=said) as refused:
        read(written(tmp_path / "a.csv", "id,comment\n1,fine\n"), encoding, delimiter)
    assert refused.value.remedy


def test_a_file_is_imported_by_one_process_at_a_time(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "id,comment\n1,fine\n")
    first = Opened(path)
    with pytest.raises(Failed, match="being imported already"):
        Opened(path)
    first.close()
    Opened(path).close()


def test_options_of_another_format_are_said_to_be(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "id,comment\n1,fine\n")
    with pytest.raises(Failed, match="--sheet"), planned(path, Reading(sheet="One")):
        pass
