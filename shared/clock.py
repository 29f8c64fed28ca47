"""The one place that reads the clock. Pure code takes `now` as a value."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def now() -> datetime:
    """The present, aware, in UTC, whole milliseconds: what BSON keeps, so an event and its document agree."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def to_ms(moment: datetime) -> datetime:
    """`moment` in UTC with what is finer than a millisecond cut off."""
    moment = moment.astimezone(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def to_us(moment: datetime) -> int:
    """Microseconds since 1970-01-01 UTC: the unit of a revision."""
    return (moment - _EPOCH) // _MICROSECOND
