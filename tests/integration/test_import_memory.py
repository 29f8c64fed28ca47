"""A file is imported a few rows at a time: what the command holds of it does not grow with the file."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Final

import pytest
from openpyxl import Workbook

from tests.support.doors import MAILBOX
from tests.support.importer import Importer

_MB: Final = 1_000_000
MOST_BYTES: Final = 300 * _MB
#: The peak is the kernel's for this program alone: getrusage counts what its parent had before exec, too.
_SCRIPT: Final = """
import atexit, os
from pathlib import Path
from deploy.cli.main import main
from tests.load.proc import usage
atexit.register(lambda: Path("peak").write_text(str(usage(os.getpid()).peak_bytes)))
main()
"""
_WORDS: Final = "the bill of the last month shows two lines nobody in our house can explain to the auditors, "


def large_csv(path: Path, size_bytes: int) -> int:
    """Rows of some 400 characters, no two alike. Returns how many."""
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("comment", "date", "email"))
        while file.tell() < size_bytes:
            # The size of the file costs a call of the kernel: asked for now and then.
            rows = range(count, count + 1_000)
            writer.writerows((f"{_WORDS * 4}{n}", "2026-05-04", f"ada{n}@customer.example") for n in rows)
            count += 1_000
    return count


def large_ndjson(path: Path, size_bytes: int) -> int:
    count = 0
    with path.open("w", encoding="utf-8") as file:
        while file.tell() < size_bytes:
            for n in range(count, count + 1_000):
                said = {"text": f"{_WORDS * 4}{n}", "occurred_at": "2026-05-04T09:00:00Z"}
                file.write(json.dumps({**said, "author": {"email": f"ada{n}@customer.example"}}) + "\n")
            count += 1_000
    return count


def large_xlsx(path: Path, size_bytes: int) -> int:
    """Of so many bytes once unpacked; it is an archive of XML."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(("comment", "date", "email"))
    count = size_bytes // (len(_WORDS) * 4)
    for n in range(count):
        sheet.append((f"{_WORDS * 4}{n}", "2026-05-04", f"ada{n}@customer.example"))
    book.save(path)
    return count


def large_mbox(path: Path, size_bytes: int) -> int:
    count = 0
    with path.open("w", encoding="utf-8") as file:
        while file.tell() < size_bytes:
            for n in range(count, count + 1_000):
                file.write(
                    f"From ada{n}@customer.example Mon May  4 09:00:00 2026\n"
                    f"From: ada{n}@customer.example\nTo: {MAILBOX}\nMessage-ID: <{n}@customer.example>\n"
                    f"Date: Mon, 04 May 2026 09:00:00 +0000\nSubject: Bill {n}\n\n{_WORDS * 4}{n}\n\n"
                )
            count += 1_000
    return count


_FORMATS: Final = {"csv": large_csv, "ndjson": large_ndjson, "xlsx": large_xlsx, "mbox": large_mbox}


async def imported(importer: Importer, size_bytes: int, form: str = "csv") -> int:
    """The most bytes the command held while it brought in a file of that size."""
    name = f"large.{form}"
    rows = _FORMATS[form](importer.folder / name, size_bytes)
    done = await importer.run(name, "--yes", script=_SCRIPT)
    assert done.code == 0, done.err[-2_000:]
    assert f"{rows:,} kept" in done.out
    # pytest leaves the folders of its last runs where they are.
    (importer.folder / name).unlink()
    return int((importer.folder / "peak").read_text())


@pytest.mark.timeout(180)
async def test_an_import_of_20_mb_stays_under_300_mb_of_memory(importer: Importer) -> None:
    assert await imported(importer, 20 * _MB) < MOST_BYTES


@pytest.mark.soak
@pytest.mark.timeout(1_200)
@pytest.mark.parametrize("form", ["ndjson", "xlsx", "mbox"])
async def test_an_import_of_200_mb_of_any_form_stays_under_300_mb_of_memory(
    importer: Importer, form: str
) -> None:
    assert await imported(importer, 200 * _MB, form) < MOST_BYTES


@pytest.mark.soak
@pytest.mark.timeout(3_600)
async def test_an_import_of_1_gb_stays_under_300_mb_of_memory(importer: Importer) -> None:
    assert await imported(importer, 1_000 * _MB) < MOST_BYTES
