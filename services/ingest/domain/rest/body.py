"""The body of `POST /v1/feedback`, as items. One bad item never costs a good neighbour.

Everything is validated once, as bytes, where all is well; only a body with a fault in it is taken apart.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pydantic import TypeAdapter, ValidationError

from services.ingest.domain.rest.item import Item
from shared.errors import InvalidInput, Reason
from shared.http.document import bad_texts, loads
from shared.http.faults import faults
from shared.value import value

_ITEMS: TypeAdapter[list[Item]] = TypeAdapter(list[Item])
_BOM = b"\xef\xbb\xbf"
_SPACE = b" \t\r\n"


@value
class Entry:
    """An item, or what is wrong with it. `at` is the JSON pointer to it; `line` its line, for NDJSON."""

    item: Item | None
    faults: tuple[InvalidInput, ...] = ()
    at: str = ""
    line: int | None = None


@value
class Body:
    entries: list[Entry]
    single: bool = False


def read(raw: bytes, *, ndjson: bool, max_items: int) -> Body:
    """Every item, in order.

    Raises InvalidInput for what is wrong with the whole: MALFORMED (names line and column), WRONG_TYPE for
    neither an object nor an array, EMPTY, TOO_LARGE for more than `max_items`.
    """
    raw = raw.removeprefix(_BOM).strip(_SPACE)
    if not raw:
        raise InvalidInput(Reason.MALFORMED, "the body is empty", remedy="Send a JSON object or array.")
    if ndjson:
        return Body(list(_lines(raw, max_items)))
    if raw[:1] == b"{":
        return Body([_entry(raw)], single=True)
    return Body(_array(raw, max_items))


def _array(raw: bytes, max_items: int) -> list[Entry]:
    if b"\\u0000" not in raw:
        try:
            items = _ITEMS.validate_json(raw)
        except ValidationError:
            pass
        else:
            _count(len(items), max_items)
            return [Entry(item, at=f"/{index}") for index, item in enumerate(items)]
    values = loads(raw)
    if not isinstance(values, list):
        raise InvalidInput(
            Reason.WRONG_TYPE,
            "the body is neither an object nor an array",
            remedy="Send an item or an array.",
        )
    _count(len(values), max_items)
    return [_checked(value, at=f"/{index}") for index, value in enumerate(values)]


def _count(items: int, max_items: int) -> None:
    if items == 0:
        raise InvalidInput(Reason.EMPTY, "there is no item in it", remedy="Send at least one item.")
    if items > max_items:
        raise InvalidInput(
            Reason.TOO_LARGE,
            f"these are more than {max_items} items",
            remedy=f"Send at most {max_items} items in one request.",
        )


def _lines(raw: bytes, max_items: int) -> Iterator[Entry]:
    index = 0
    for number, line in enumerate(raw.split(b"\n"), start=1):
        stripped = line.strip(_SPACE)
        if not stripped:
            continue
        _count(index + 1, max_items)
        yield _line_entry(stripped, index, number)
        index += 1


def _line_entry(raw: bytes, index: int, number: int) -> Entry:
    at = f"/{index}"
    try:
        return _entry(raw, at=at, line=number)
    except InvalidInput as fault:
        return Entry(None, (fault,), at=at, line=number)


def _entry(raw: bytes, *, at: str = "", line: int | None = None) -> Entry:
    if b"\\u0000" not in raw:
        try:
            return Entry(Item.model_validate_json(raw), at=at, line=line)
        except ValidationError:
            pass
    return _checked(loads(raw, first_line=line or 1), at=at, line=line)


def _checked(value: Any, *, at: str, line: int | None = None) -> Entry:  # noqa: ANN401 - any JSON value
    bad = tuple(bad_texts(value))
    if bad:
        return Entry(None, bad, at=at, line=line)
    try:
        return Entry(Item.model_validate_json(json.dumps(value)), at=at, line=line)
    except ValidationError as error:
        return Entry(None, tuple(faults(error, Item)), at=at, line=line)
