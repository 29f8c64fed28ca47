"""The form: from what was typed to a note, and from faults to sentences beside the fields."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from services.ingest.domain.note.note import Note
from shared.errors import InvalidInput, Reason
from shared.http.document import InvalidDocument, checked

#: Of the form's fields, what a submission keeps when it comes back with a fault; screenshots it cannot.
TEXT_FIELDS = (
    "kind",
    "day",
    "name",
    "email",
    "affiliation",
    "account",
    "text",
    "would_change",
    "would_keep",
    "touchpoint",
    "confidential",
)
#: Where a fault of the note stands in the form; the rest has the same name in both.
_FIELDS = {
    "on_behalf_of/name": "name",
    "on_behalf_of/email": "email",
    "on_behalf_of/affiliation": "affiliation",
    "occurred_at": "day",
    "attachments": "screenshots",
}
_NOON = time(12, tzinfo=UTC)
_TOO_LONG = "This is too long. Shorten it, or attach the rest as a file."
_SENTENCES: Mapping[tuple[str, Reason], str] = {
    ("kind", Reason.MISSING_FIELD): "Choose what kind of conversation it was.",
    ("kind", Reason.WRONG_TYPE): "Choose what kind of conversation it was.",
    ("text", Reason.EMPTY): "Write what was said.",
    ("text", Reason.TOO_LARGE): _TOO_LONG,
    ("email", Reason.WRONG_TYPE): "Write an address like ada@customer.example, or leave it empty.",
    ("day", Reason.BAD_DATE): "Write a day that is not in the future, like 2026-05-04, or leave it empty.",
    ("affiliation", Reason.WRONG_TYPE): "Choose customer, prospect, partner or provider.",
    (
        "screenshots",
        Reason.TOO_LARGE,
    ): "A file is too large, or there are too many. Choose fewer or smaller ones.",
}


@dataclass(frozen=True, slots=True)
class FormFault:
    """`field` is the id of a field of the form; empty for what belongs to none."""

    field: str
    sentence: str


def note_of(typed: Mapping[str, str], today: date) -> Note:
    """The note. `today` is the day in UTC. Raises InvalidInput (InvalidDocument for several faults).

    The form has a day and no hour: a browser without scripts does not tell its time zone. It counts as noon,
    and today as just now.
    """
    faults: list[InvalidInput] = []
    party: dict[str, Any] = {"name": typed.get("name", "")}
    for field in ("email", "affiliation"):
        if typed.get(field, "").strip():
            party[field] = typed[field].strip()
    value: dict[str, Any] = {
        "text": typed.get("text", ""),
        "account": typed.get("account", ""),
        "would_change": typed.get("would_change", ""),
        "would_keep": typed.get("would_keep", ""),
        "touchpoint": typed.get("touchpoint") or None,
        "confidential": bool(typed.get("confidential")),
        "on_behalf_of": party,
    }
    if typed.get("kind"):
        value["kind"] = typed["kind"]
    try:
        happened = _happened(typed.get("day", ""), today)
        value["occurred_at"] = happened.isoformat() if happened is not None else None
    except InvalidInput as fault:
        faults.append(fault)
    if not value["text"].strip():
        faults.append(InvalidInput(Reason.EMPTY, "it does not say what was said", field="text"))
    try:
        note = checked(value, Note)
    except InvalidDocument as document:
        faults += document.faults
    else:
        if not faults:
            return note
    raise InvalidDocument(faults)


def _happened(day: str, today: date) -> datetime | None:
    if not day.strip():
        return None
    try:
        happened = date.fromisoformat(day.strip())
    except ValueError:
        raise InvalidInput(Reason.BAD_DATE, "there is no such day", field="occurred_at") from None
    # East of Greenwich tomorrow has begun already.
    if happened > today + timedelta(days=1):
        raise InvalidInput(Reason.BAD_DATE, "the day lies in the future", field="occurred_at")
    return None if happened >= today else datetime.combine(happened, _NOON)


def form_faults(error: InvalidInput) -> tuple[FormFault, ...]:
    """What is wrong, in words for whoever filled it in, in the order of the form; each field once."""
    faults = error.faults if isinstance(error, InvalidDocument) else (error,)
    found: dict[str, FormFault] = {}
    for fault in faults:
        field = _field(fault.field)
        found.setdefault(field, FormFault(field, _sentence(field, fault)))
    return tuple(sorted(found.values(), key=lambda fault: _ORDER.get(fault.field, -1)))


_ORDER = {field: place for place, field in enumerate((*TEXT_FIELDS, "screenshots"))}


def _field(path: str) -> str:
    field = _FIELDS.get(path) or _FIELDS.get(path.partition("/")[0]) or path
    return field if field in _ORDER else ""


def _sentence(field: str, fault: InvalidInput) -> str:
    if fault.reason is Reason.TOO_LARGE and field not in {"", "screenshots"}:
        return _TOO_LONG
    sentence = _SENTENCES.get((field, fault.reason))
    return sentence or " ".join(_ended(part) for part in (fault.detail, fault.remedy) if part)


def _ended(part: str) -> str:
    return part[:1].upper() + part[1:] + ("" if part.endswith((".", "?", "!")) else ".")


def kept(typed: Mapping[str, str]) -> dict[str, str]:
    """What stands in the form when it comes back: everything that was typed."""
    return {field: typed.get(field, "") for field in TEXT_FIELDS}


def chosen(values: Iterable[tuple[str, object]]) -> dict[str, str]:
    """The text fields of a posted form, by name; of a name that comes twice the last."""
    return {name: value for name, value in values if isinstance(value, str)}
