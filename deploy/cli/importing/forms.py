"""How the cells of a mapping are read: in which form its dates are, on which scale its ratings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta, timezone, tzinfo

from deploy.cli.importing.dates import form_of, is_ambiguous, reader
from deploy.cli.importing.items import Form
from deploy.cli.importing.mapping import FieldMap
from deploy.cli.importing.values import NOBODY, Scale, scale_of
from deploy.cli.output import ExitCode, Failed

_LOOKED_AT = 20


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the options say, as far as they are about rows. `zone_name` is the IANA name of `zone`."""

    maps: Sequence[str] = ()
    sets: Sequence[str] = ()
    source: str | None = None
    channel: str | None = None
    zone: tzinfo = UTC
    zone_name: str = "UTC"
    date_form: str | None = None
    scale: Scale | None = None


def form_for(
    mapping: FieldMap, columns: Sequence[str], rows: Sequence[Sequence[str]], wishes: Wishes
) -> tuple[Form, list[str]]:
    """The form, and what is to be said of it to whoever imports. Raises Failed for dates nobody can read."""

    def values(name: str) -> list[str]:
        at = mapping.columns[name][0]
        return [row[at].strip() for row in rows if row[at].strip().lower() not in NOBODY]

    notes: list[str] = []
    forms: dict[str, str | None] = {}
    for name in ("occurred_at", "revision"):
        if name in mapping.columns:
            forms[name] = _date_form(name, columns[mapping.columns[name][0]], values(name), wishes, notes)
    scale = wishes.scale
    if "rating" in mapping.columns and scale is None:
        scale = scale_of(columns[mapping.columns["rating"][0]], values("rating"))
        if scale is not None:
            notes.append(f"ratings are {scale} (--scale MIN-MAX)")
    form = Form(wishes.zone, forms.get("occurred_at"), forms.get("revision"), scale)
    return form, list(dict.fromkeys(notes))


def _date_form(name: str, column: str, values: Sequence[str], wishes: Wishes, notes: list[str]) -> str | None:
    form = wishes.date_form or form_of(values)
    if form is None:
        if name == "revision" or not values:
            return None
        remedy = "say how they are written with --date-format, or --map occurred_at= to leave them out"
        raise Failed(f"the dates in {column!r} have no form known here", remedy, ExitCode.USAGE)
    if wishes.date_form is None and is_ambiguous(form, values):
        other = "mdy, if the month comes first" if form == "dmy" else "dmy, if the day comes first"
        notes.append(f"{values[0]} could be read another way: --date-format {other}")
    if _without_zone(form, values):
        notes.append(f"dates without a zone are taken as {wishes.zone_name} (--zone Europe/Berlin)")
    return form


def _without_zone(form: str, values: Sequence[str]) -> bool:
    """Whether one of the first dates has no zone of its own: in two zones it is two moments."""
    here, there = (reader(form, timezone(timedelta(hours=hours))) for hours in (0, 1))
    for value in values[:_LOOKED_AT]:
        try:
            if here(value) != there(value):
                return True
        except (ValueError, TypeError, IndexError):
            continue
    return False
