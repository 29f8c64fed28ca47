"""When a server says to come again."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from shared.net.retry_after import parse_retry_after

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("30", 30.0),
        ("0", 0.0),
        ("1.5", 1.5),
        ("-5", 0.0),
        ("999999999", 86_400.0),
        ("Sun, 22 Nov 2026 09:02:00 GMT", 120.0),
        ("Sun, 22 Nov 2026 08:00:00 GMT", 0.0),
        ("Sun, 22 Nov 2026 10:02:00 +0100", 120.0),
        ("", None),
        (None, None),
        ("soon", None),
        ("nan", None),
        ("inf", 86_400.0),
        ("-inf", 0.0),
    ],
)
def test_seconds_or_a_date(value: str | None, seconds: float | None) -> None:
    assert parse_retry_after(value, NOW) == seconds
