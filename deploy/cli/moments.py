"""A time as somebody types it: how long ago, or when."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from deploy.cli.output import ExitCode, Failed

_SPAN = re.compile(r"(\d+)([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def moment(text: str | None, now: datetime) -> datetime | None:
    """2h, 3d, 2026-05-04T09:30; raises Failed for what is none of these. None stays None."""
    if text is None:
        return None
    span = _SPAN.fullmatch(text)
    if span:
        return now - timedelta(**{_UNITS[span[2]]: int(span[1])})
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Failed(f"{text!r} is no time", "write 2h, 3d, or 2026-05-04T09:30", ExitCode.USAGE) from None
    return found.astimezone()
