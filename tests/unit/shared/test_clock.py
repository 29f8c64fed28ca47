from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import clock

moments = st.datetimes(timezones=st.just(UTC))


def test_now_is_aware_in_utc_and_what_bson_keeps() -> None:
    now = clock.now()
    assert now.tzinfo is UTC
    assert now.microsecond % 1000 == 0
    assert abs(now - datetime.now(UTC)) < timedelta(seconds=5)  # noqa: TID251 - the clock itself is tested


@given(moments)
def test_what_is_finer_than_a_millisecond_is_cut_off(moment: datetime) -> None:
    cut = clock.to_ms(moment)
    assert timedelta(0) <= moment - cut < timedelta(milliseconds=1)
    assert clock.to_ms(cut) == cut


def test_a_moment_of_another_zone_is_the_same_in_utc() -> None:
    there = datetime(2026, 3, 2, 13, 0, 0, 123_999, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    cut = clock.to_ms(there)
    assert cut.isoformat() == "2026-03-02T07:30:00.123000+00:00"


@pytest.mark.parametrize(
    ("moment", "us"),
    [
        (datetime(1970, 1, 1, tzinfo=UTC), 0),
        (datetime(1970, 1, 1, 0, 0, 0, 1, tzinfo=UTC), 1),
        (datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), -1),
        (datetime(2026, 3, 2, 12, 0, 0, 7, tzinfo=UTC), 1_772_452_800_000_007),
        (datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), 253_402_300_799_999_999),
    ],
)
def test_microseconds_are_exact(moment: datetime, us: int) -> None:
    assert clock.to_us(moment) == us


@given(moments, moments)
def test_they_order_as_the_moments_do(one: datetime, other: datetime) -> None:
    assert (clock.to_us(one) < clock.to_us(other)) == (one < other)
