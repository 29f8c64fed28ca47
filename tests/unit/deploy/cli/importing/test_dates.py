"""Dates as people's systems write them."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from deploy.cli.importing.dates import form_of, is_ambiguous, is_date, reader
from deploy.cli.output import Failed

MAY = datetime(2026, 5, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("form", "text", "expected"),
    [
        ("iso", "2026-05-04", MAY),
        ("iso", "2026-05-04T09:30:00Z", MAY.replace(hour=9, minute=30)),
        ("iso", "2026-05-04 09:30:00 UTC", MAY.replace(hour=9, minute=30)),
        ("iso", "2026-05-04 11:30:00 +0200", MAY.replace(hour=9, minute=30)),
        ("iso", "2026-05-04T09:30:00.123+00:00", MAY.replace(hour=9, minute=30, microsecond=123_000)),
        ("ymd", "2026/5/4 9:30", MAY.replace(hour=9, minute=30)),
        ("dmy", "4.5.2026", MAY),
        ("dmy", "04.05.26, 09:30", MAY.replace(hour=9, minute=30)),
        ("dmy", "04-05-2026", MAY),
        ("mdy", "5/4/2026 9:30 PM", MAY.replace(hour=21, minute=30)),
        ("mdy", "05/04/2026 12:05:06 AM", MAY.replace(minute=5, second=6)),
        ("named", "May 4, 2026", MAY),
        ("named", "Mon, 4 May 2026 09:30", MAY.replace(hour=9, minute=30)),
        ("named", "4. März 2026", MAY.replace(month=3)),
        ("named", "4 août 2026", MAY.replace(month=8)),
        ("named", "4 de enero de 2026", MAY.replace(month=1)),
        ("mail", "Mon, 04 May 2026 09:30:00 +0000", MAY.replace(hour=9, minute=30)),
        ("epoch", "1777852800", MAY),
        ("epoch", "1777852800000", MAY),
        ("%Y%m%d", "20260504", MAY),
    ],
)
def test_every_form_is_read(form: str, text: str, expected: datetime) -> None:
    assert reader(form, UTC)(text) == expected
    if "%" not in form:
        assert form_of([text, text]) is not None


@pytest.mark.parametrize(
    ("values", "form"),
    [
        (["2026-05-04", "2026-05-05 10:00"], "iso"),
        (["03/04/2026", "13/04/2026"], "dmy"),
        (["03/04/2026", "04/13/2026"], "mdy"),
        (["03/04/2026 1:00 PM", "04/05/2026 2:00 AM"], "mdy"),
        (["03/04/2026", "05/06/2026"], "dmy"),
        (["3.4.2026"], "dmy"),
        (["1777852800", "1777852801"], "epoch"),
        (["yes", "no"], None),
        ([], None),
    ],
)
def test_the_form_of_a_column_is_the_one_that_reads_all_of_it(values: list[str], form: str | None) -> None:
    assert form_of(values) == form


def test_what_could_be_read_two_ways_is_known_to_be() -> None:
    assert is_ambiguous("dmy", ["03/04/2026"])
    assert not is_ambiguous("dmy", ["03/04/2026", "13/04/2026"])
    assert not is_ambiguous("dmy", ["3.4.2026"])


def test_a_date_without_a_zone_is_of_the_zone_that_was_said() -> None:
    read = reader("iso", ZoneInfo("Europe/Berlin"))
    assert read("2026-01-04 12:00").isoformat() == "2026-01-04T12:00:00+01:00"
    assert read("2026-07-04 12:00").isoformat() == "2026-07-04T12:00:00+02:00"
    assert read("2026-07-04T12:00:00Z").isoformat() == "2026-07-04T12:00:00+00:00"


@pytest.mark.parametrize("text", ["", "soon", "32.1.2026", "2026-13-01", "12", "1.5"])
def test_what_is_no_date_is_none(text: str) -> None:
    assert not is_date(text)


def test_a_form_that_there_is_not_is_said() -> None:
    with pytest.raises(Failed, match="yesterday"):
        reader("yesterday", UTC)
