"""From a row to an item of `POST /v1/feedback`. What can be prepared is: a file has millions of rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from functools import lru_cache
from typing import Any, Final

from deploy.cli.importing.dates import ReadDate, reader
from deploy.cli.importing.mapping import FieldMap
from deploy.cli.importing.record import Reader, Refused
from deploy.cli.importing.values import NOBODY, Scale, rating_of, yes_or_no
from deploy.cli.output import ExitCode, Failed

Item = dict[str, Any]
Get = Callable[[Any], str]
_Put = Callable[[Item, str], None]
_PEOPLE: Final = ("author", "on_behalf_of")
_ADDRESSES: Final = ("email", "slack", "id")


class NoWords(Exception):
    """The row is a mark without a word: there is nothing to read in it, and nothing wrong with it."""


@dataclass(frozen=True, slots=True)
class Form:
    """How cells are read: the forms of dates by name (see dates.py), `zone` that of dates without one."""

    zone: tzinfo
    date_form: str | None = None
    revision_form: str | None = None
    scale: Scale | None = None


def builder(
    mapping: FieldMap, form: Form, reader_of: Reader, base: Mapping[str, Any]
) -> Callable[[Any], Item]:
    """Makes items that have `base` in them. What it returns raises Refused and NoWords.

    Text, title and ids are left as they stand in the file: what a row is depends on them.
    """
    getters = {name: [reader_of.getter(at) for at in numbers] for name, numbers in mapping.columns.items()}
    fixed = constants(mapping.fixed, form, base)
    texts = getters.pop("text", [])
    rated = "rating" in getters
    people = [
        _person(head, getters) for head in _PEOPLE if any(name.startswith(f"{head}.") for name in getters)
    ]
    steps = [(get, _put(name, form)) for name, (get,) in getters.items() if name.split(".")[0] not in _PEOPLE]
    text_of = texts[0] if len(texts) == 1 else _joined(texts)

    def build(cells: Any) -> Item:  # noqa: ANN401 - whatever the reader put there
        item = fixed.copy()
        text = text_of(cells)
        if text:
            item["text"] = text
        for get, put in steps:
            value = get(cells)
            if value:
                put(item, value)
        for name_person in people:
            name_person(item, cells)
        if not text or text.isspace():
            if rated and "rating" in item:
                raise NoWords
            raise Refused("text", "there are no words in it", "Write what was said, or take the row out.")
        return item

    return build


def _joined(texts: Sequence[Get]) -> Get:
    """The questions of a survey one below the other, without those that nobody answered."""
    return lambda cells: "\n\n".join([text for get in texts if (text := get(cells)).strip()])


def _person(head: str, getters: Mapping[str, Sequence[Get]]) -> Callable[[Item, Any], None]:
    """A person has one address: the first that is there, in the order of the mapping."""
    own = [(name, get) for name, (get,) in getters.items() if name.startswith(f"{head}.")]
    parts = [(name.partition(".")[2], get) for name, get in own]
    addresses = [(tail, get) for tail, get in parts if tail in _ADDRESSES]
    others = [(tail, get) for tail, get in parts if tail not in _ADDRESSES]

    def put(item: Item, cells: Any) -> None:  # noqa: ANN401 - whatever the reader put there
        person: dict[str, str | bool] = {}
        for tail, get in addresses:
            value = get(cells).strip()
            if value and value.lower() not in NOBODY:
                person[tail] = value
                break
        for tail, get in others:
            value = get(cells).strip()
            if value and value.lower() not in NOBODY:
                person[tail] = yes_or_no(value) if tail == "verified" else value
        if person:
            item[head] = {**item[head], **person} if head in item else person

    return put


def constants(fixed: Mapping[str, str], form: Form, base: Mapping[str, Any]) -> Item:
    """What every item has. Raises Failed for a value that cannot be one of its field."""
    item = dict(base)
    for name, value in fixed.items():
        try:
            _put(name, form)(item, value)
        except Refused as error:
            raise Failed(f"--set {name}: {error.fault.detail}", error.fault.remedy, ExitCode.USAGE) from None
    return item


def _put(name: str, form: Form) -> _Put:
    if name == "occurred_at":
        return _date(name, reader(form.date_form or "iso", form.zone))
    if name == "revision":
        return _date(name, reader(form.revision_form, form.zone)) if form.revision_form else _version
    if name == "rating":
        scale = form.scale or Scale(1.0, 5.0, "stars")

        @lru_cache(maxsize=1_024)
        def rating(value: str) -> dict[str, float | str] | None:
            return None if value.strip().lower() in NOBODY else rating_of(value, scale)

        def put_rating(item: Item, value: str) -> None:
            found = rating(value)
            if found is not None:
                item["rating"] = found

        return put_rating
    return _PUTS.get(name, _plain(name))


def _plain(name: str) -> _Put:
    head, _, tail = name.partition(".")

    def put(item: Item, value: str) -> None:
        item[name] = value

    def put_within(item: Item, value: str) -> None:
        item[head] = {**item.get(head, {}), tail: value}

    return put_within if tail else put


def _date(name: str, read: ReadDate) -> _Put:
    def put(item: Item, value: str) -> None:
        if not value.strip():
            return
        try:
            item[name] = read(value).isoformat()
        except (ValueError, TypeError, IndexError, OverflowError, OSError):
            remedy = "Write it like the others, or leave it empty; --date-format says how they are read."
            raise Refused(name, "this is no date of the form of the others", remedy) from None

    return put


def _version(item: Item, value: str) -> None:
    if not value.strip().isdecimal():
        raise Refused("revision", "this is no version number", "Write a whole number, or a date in all rows.")
    item["revision"] = int(value)


def _confidential(item: Item, value: str) -> None:
    item["confidential"] = yes_or_no(value)


def _verified(item: Item, value: str) -> None:
    item["author"] = {**item.get("author", {}), "verified": yes_or_no(value)}


def _affiliation(item: Item, value: str) -> None:
    item["affiliation"] = value.strip().lower()


_PUTS: Final[Mapping[str, _Put]] = {
    "confidential": _confidential,
    "author.verified": _verified,
    "affiliation": _affiliation,
    "touchpoint": lambda item, value: item.__setitem__("touchpoint", value.strip()),
}
