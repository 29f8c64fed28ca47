"""What a script learns of an import: 0 when all went in, 1 when rows were refused, and where those are."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.importer import Importer, table

pytestmark = pytest.mark.timeout(120)
_HEAD = ("id", "comment", "date")


def rows(path: Path, *, broken: int) -> str:
    good = [(str(n), f"It is wrong, {n}", "2026-05-04") for n in range(20)]
    return table(path, [_HEAD, *good, *((f"b{n}", "It is wrong", "2026-55-04") for n in range(broken))])


async def test_an_import_of_which_all_went_in_exits_0_then_and_when_run_again(importer: Importer) -> None:
    name = rows(importer.folder / "a.csv", broken=0)
    for _ in range(2):
        done = await importer.run(name, "--yes")
        assert done.code == 0, done
        assert "refused" not in done.out + done.err


async def test_an_import_with_refused_rows_exits_1_and_names_their_file(importer: Importer) -> None:
    name = rows(importer.folder / "a.csv", broken=2)
    done = await importer.run(name, "--yes")
    assert done.code == 1, done
    assert "20 kept, 2 refused" in done.out
    assert "a.csv.errors.csv" in done.err
    # Run again it sends nothing: the two are still not in, and a script must not take it for well.
    again = await importer.run(name, "--yes")
    assert again.code == 1, again
    assert "Nothing was sent" in again.err
    assert "a.csv.errors.csv" in again.err
    told = await importer.json(name, "--yes", code=1)
    assert (told["already"], told["rejected"], told["errors_file"]) == (True, 2, "a.csv.errors.csv")


async def test_mended_and_imported_the_refused_rows_exit_0(importer: Importer) -> None:
    await importer.run(rows(importer.folder / "a.csv", broken=1), "--yes", "--errors", "why.csv")
    file = importer.folder / "why.csv"
    file.write_text(
        file.read_text(encoding="utf-8-sig").replace("2026-55-04", "2026-05-05"), encoding="utf-8"
    )
    done = await importer.run("why.csv", "--yes")
    assert done.code == 0, done
    assert "1 kept" in done.out
