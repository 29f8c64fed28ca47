"""Where an import goes on, and what becomes of the file of errors of the run before."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from deploy.cli.importing.chunks import Chunks
from deploy.cli.importing.errors_file import ErrorsFile
from deploy.cli.importing.going_on import Place, place
from deploy.cli.importing.ordinals import Ordinals
from deploy.cli.importing.record import Fault, Row
from deploy.cli.importing.run import Counts
from deploy.cli.output import Failed
from tests.unit.deploy.cli.importing.files import planned, written

ROWS = [f"text {number % 400} of many" for number in range(2_000)]


def file_of(tmp_path: Path, rows: list[str]) -> Path:
    return written(tmp_path / "a.csv", "comment\n" + "".join(f"{row}\n" for row in rows))


def noted(path: Path, chunks: int, *, finished: bool = False) -> Mapping[str, Any]:
    """What is noted after so many chunks."""
    counts = Counts()
    with planned(path) as plan:
        for _, chunk in zip(range(chunks), Chunks(plan), strict=False):
            counts = Counts(rows_done=chunk.done, accepted=chunk.done, done_digest=chunk.digest)
    finished_at = "2026-05-04T09:31:00+00:00" if finished else None
    times = {"started_at": "2026-05-04T09:30:00+00:00", "finished_at": finished_at}
    return {**asdict(counts), **times, "errors_file": ""}


def found(
    path: Path, earlier: Mapping[str, Any] | None, *, from_start: bool = False
) -> tuple[Place, list[bytes]]:
    with planned(path) as plan:
        where = place(plan, earlier, from_start=from_start, moved=lambda *_: None)
        return where, [body for chunk in where.chunks for body in chunk.bodies]


def test_it_goes_on_after_the_last_row_that_was_noted(tmp_path: Path) -> None:
    path = file_of(tmp_path, ROWS)
    _, everything = found(path, None)
    where, left = found(path, noted(path, 2))
    assert where.counts.rows_done == 1_000
    assert "going on after 1,000 rows" in where.said
    assert left == everything[1_000:]
    assert json.loads(left[0])["ordinal"] == 2


def test_what_is_finished_is_over(tmp_path: Path) -> None:
    path = file_of(tmp_path, ROWS)
    where, left = found(path, noted(path, 99, finished=True))
    assert where.is_over
    assert not left
    assert "was imported 2026-05-04 09:31 UTC" in where.said
    where, left = found(path, noted(path, 99, finished=True), from_start=True)
    assert len(left) == 2_000


def test_stopped_after_the_last_row_it_is_only_to_be_finished(tmp_path: Path) -> None:
    path = file_of(tmp_path, ROWS)
    where, left = found(path, noted(path, 99))
    assert not where.is_over
    assert not left


def test_rows_that_were_added_at_the_end_are_what_is_left(tmp_path: Path) -> None:
    earlier = noted(file_of(tmp_path, ROWS), 99, finished=True)
    where, left = found(file_of(tmp_path, [*ROWS, "one more of them"]), earlier)
    assert (len(left), where.is_over) == (1, False)
    assert "2,000 rows were imported" in where.said


@pytest.mark.parametrize(
    "change", [lambda rows: [*rows[:500], "another", *rows[501:]], lambda rows: rows[:700]]
)
def test_a_file_that_was_changed_in_what_is_done_is_sent_again(tmp_path: Path, change: Any) -> None:  # noqa: ANN401
    earlier = noted(file_of(tmp_path, ROWS), 3)
    where, left = found(file_of(tmp_path, change(ROWS)), earlier)
    assert where.counts == Counts()
    assert "has changed" in where.said
    assert len(left) == len(change(ROWS))


# ---- The file of errors ----

FAULT = Fault("rating", "it is too high", "Lower it.")


def errors(tmp_path: Path, wanted: Path | None = None, form: str = "csv") -> ErrorsFile:
    return ErrorsFile(tmp_path / "a.csv", wanted, columns=("id", "comment"), form=form)


def lines(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def test_a_refused_row_stands_there_with_why_and_whole(tmp_path: Path) -> None:
    file = errors(tmp_path)
    file.write(Row(7, ["1", 'two,\n"three"']), [FAULT, Fault("text", "it is empty", "")])
    file.close()
    assert lines(tmp_path / "a.csv.errors.csv") == [
        ["import_row", "import_field", "import_fault", "import_remedy", "id", "comment"],
        ["7", "rating; text", "it is too high; it is empty", "Lower it.", "1", 'two,\n"three"'],
    ]


def test_without_errors_there_is_no_file(tmp_path: Path) -> None:
    file = errors(tmp_path)
    file.flush()
    file.close()
    assert not list(tmp_path.iterdir())


def test_no_file_is_overwritten(tmp_path: Path) -> None:
    for _ in range(2):
        file = errors(tmp_path)
        file.write(Row(7, ["1", "two"]), [FAULT])
        file.close()
    assert {path.name for path in tmp_path.iterdir()} == {"a.csv.errors.csv", "a.csv.errors-2.csv"}
    with pytest.raises(Failed, match="exists"):
        errors(tmp_path, tmp_path / "a.csv.errors.csv").check()


@pytest.mark.parametrize("form", ["csv", "ndjson"])
def test_going_on_leaves_out_what_is_read_again_and_half_a_line(tmp_path: Path, form: str) -> None:
    file = errors(tmp_path, form=form)
    cells: Any = ["1", "two"] if form == "csv" else {"comment": "two"}
    for number in (7, 8, 500):
        file.write(Row(number, cells), [FAULT])
    file.close()
    assert file.path is not None
    with file.path.open("a") as half:
        half.write('"50' if form == "csv" else '{"import_r')
    again = errors(tmp_path, form=form)
    again.go_on(file.path.name, 8)
    again.write(Row(9, cells), [FAULT])
    again.close()
    assert again.path == file.path
    if form == "csv":
        assert [line[0] for line in lines(file.path)] == ["import_row", "7", "8", "9"]
    else:
        kept = [json.loads(line) for line in file.path.read_text().splitlines()]
        assert [line["import_row"] for line in kept] == [7, 8, 9]
        assert kept[0]["comment"] == "two"


# ---- Counting equal rows ----


def test_equal_digests_are_counted_however_many_there_are() -> None:
    ordinals = Ordinals()
    assert [ordinals.of(2**63 + 5) for _ in range(1_000)] == list(range(1_000))
    assert ordinals.of(2**45 + 5) == 0


def test_a_table_that_has_grown_forgets_nothing() -> None:
    ordinals = Ordinals()
    digests = [number * 0x9E3779B97F4A7C15 % 2**64 for number in range(1, 200_001)]
    assert not any(map(ordinals.of, digests))
    assert {ordinals.of(digest) for digest in digests} == {1}
