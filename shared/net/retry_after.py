"""The header by which a server says when to come again."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_MOST_S = 86_400.0


def parse_retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds from `now`, 0 to a day; None for a header that is missing or makes no sense.

    Source: RFC 9110, section 10.2.3: seconds, or an HTTP date. Fractions of seconds are taken as well.
    """
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            moment = parsedate_to_datetime(value)
        except ValueError:
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        seconds = (moment - now).total_seconds()
    return min(max(seconds, 0.0), _MOST_S) if seconds == seconds else None  # noqa: PLR0124 - false for NaN alone
