"""Dates as people's systems write them: the form is found once for a column, and then read fast."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, tzinfo
from email.utils import parsedate_to_datetime
from typing import Final

from deploy.cli.importing.fields import plain
from deploy.cli.output import ExitCode, Failed

ReadDate = Callable[[str], datetime]
_TIME = r"(?:,?[ T]+(\d{1,2}):(\d\d)(?::(\d\d)(?:[.,]\d+)?)?\s*([AaPp]\.?[Mm]\.?)?)?"
_NUMBERS = re.compile(rf"(\d{{1,2}})[./-](\d{{1,2}})[./-](\d{{4}}|\d\d){_TIME}")
_YEAR_FIRST = re.compile(rf"(\d{{4}})[./](\d{{1,2}})[./](\d{{1,2}}){_TIME}")
_ISO = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d.*)?")
_UTC = re.compile(r" ?(?:UTC|GMT|Z)$", re.IGNORECASE)
_ZONE_APART = re.compile(r" (?=[+-]\d\d:?\d\d$)")
_EPOCH = re.compile(r"\d{10}(?:\.\d+)?|\d{13}")
_DAY_NAMED = re.compile(rf"(?:\w+,? )?(\d{{1,2}})\.? (?:de )?([^\W\d]+)\.?,? (?:de )?(\d{{4}}){_TIME}")
_MONTH_NAMED = re.compile(rf"(?:[^\W\d]+,? )?([^\W\d]+)\.? (\d{{1,2}})(?:st|nd|rd|th)?,? (\d{{4}}){_TIME}")
#: In English, German, French and Spanish, as far as it takes to tell them apart.
_MONTHS: Final = {
    name: number
    for number, names in enumerate(
        (
            *("jan ene", "feb fev fevr", "mar mrz maer marz", "apr avr abr", "may mai", "jun juin"),
            *("jul juil", "aug aou aout ago", "sep sept", "oct okt", "nov", "dec dez dic"),
        ),
        start=1,
    )
    for name in names.split()
}
_MILLISECONDS = 13
_CENTURY = 100
_NOON = 12


def iso(text: str) -> datetime:
    text = _UTC.sub("+00:00", text.strip()) if text[-1:] in "CTZctz" else text.strip()
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return datetime.fromisoformat(_ZONE_APART.sub("", text))


def _day_first(text: str) -> datetime:
    found = _matched(_NUMBERS, text)
    return _moment(found[3], found[2], found[1], found)


def _month_first(text: str) -> datetime:
    found = _matched(_NUMBERS, text)
    return _moment(found[3], found[1], found[2], found)


def _year_first(text: str) -> datetime:
    found = _matched(_YEAR_FIRST, text)
    return _moment(found[1], found[2], found[3], found)


def _epoch(text: str) -> datetime:
    text = _matched(_EPOCH, text)[0]
    return datetime.fromtimestamp(float(text) / (1000 if len(text) == _MILLISECONDS else 1), UTC)


def _named(text: str) -> datetime:
    found = _DAY_NAMED.fullmatch(text.strip())
    if found is not None:
        return _moment(found[3], _month(found[2]), found[1], found)
    found = _matched(_MONTH_NAMED, text)
    return _moment(found[3], _month(found[1]), found[2], found)


def _mail(text: str) -> datetime:
    return parsedate_to_datetime(text)


#: By name, the surest first: an ambiguous date is read by the first that reads all of a column.
FORMS: Final[dict[str, tuple[ReadDate, str]]] = {
    "iso": (iso, "year-month-day"),
    "ymd": (_year_first, "year/month/day"),
    "dmy": (_day_first, "day/month/year"),
    "mdy": (_month_first, "month/day/year"),
    "named": (_named, "with the month's name"),
    "mail": (_mail, "as in mail"),
    "epoch": (_epoch, "seconds or milliseconds since 1970"),
}


def is_date(text: str) -> bool:
    """Whether it is one in any form that is no mere number."""
    return any(_reads(read, text) for name, (read, _) in FORMS.items() if name != "epoch")


def form_of(values: Sequence[str], threshold: float = 0.9) -> str | None:
    """The name of the form of a column; None when it has none. American where AM or PM stands beside it."""
    if not values:
        return None
    read = {
        name: sum(_reads(reader, value) for value in values) / len(values)
        for name, (reader, _) in FORMS.items()
    }
    best = max(read.values())
    if best < threshold:
        return None
    if read["dmy"] == read["mdy"] == best and any(
        value.rstrip(".").upper().endswith("M") for value in values
    ):
        return "mdy"
    return next(name for name, share in read.items() if share == best)


def is_ambiguous(form: str, values: Sequence[str]) -> bool:
    """Whether the same column could be read with day and month the other way round."""
    other = {"dmy": "mdy", "mdy": "dmy"}.get(form)
    dotted = all("." in value.split()[0] for value in values if value.split())
    return other is not None and not dotted and all(_reads(FORMS[other][0], value) for value in values)


def reader(form: str, zone: tzinfo) -> ReadDate:
    """Reads a date of that form, or of a `%` pattern of strptime, in `zone` unless it has its own.

    What it returns raises ValueError for what is none.
    """
    if "%" in form:
        read: ReadDate = lambda text: datetime.strptime(text.strip(), form)  # noqa: DTZ007, E731 - zoned below
    elif form in FORMS:
        read = FORMS[form][0]
    else:
        known = ", ".join(FORMS)
        raise Failed(
            f"there is no form of dates {form!r}",
            f"use one of {known}, or a pattern like %d.%m.%Y",
            ExitCode.USAGE,
        )

    def zoned(text: str) -> datetime:
        moment = read(text)
        return moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)

    return zoned


def _reads(read: ReadDate, text: str) -> bool:
    if read is iso and not _ISO.fullmatch(text.strip()):
        return False
    try:
        read(text)
    except (ValueError, TypeError, IndexError, OverflowError, OSError):
        return False
    return True


def _matched(pattern: re.Pattern[str], text: str) -> re.Match[str]:
    found = pattern.fullmatch(text.strip())
    if found is None:
        raise ValueError(text)
    return found


def _month(name: str) -> int:
    key = plain(name)
    for size in (5, 4, 3):
        if key[:size] in _MONTHS:
            return _MONTHS[key[:size]]
    raise ValueError(name)


def _moment(year: str, month: str | int, day: str, found: re.Match[str]) -> datetime:
    hour, minute, second, half = found.groups()[-4:]
    hours = int(hour or 0)
    if half:
        hours = hours % _NOON + (_NOON if half[0] in "pP" else 0)
    whole = int(year) if int(year) >= _CENTURY else 2000 + int(year)
    return datetime(whole, int(month), int(day), hours, int(minute or 0), int(second or 0))  # noqa: DTZ001 - zoned by `reader`
