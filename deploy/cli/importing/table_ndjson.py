"""Rows of a file with a JSON object a line: our own items as they are, anything else by its keys."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any, Final

from deploy.cli.importing.encoding import encoding_of, known
from deploy.cli.importing.fields import OURS
from deploy.cli.importing.opened import Opened
from deploy.cli.importing.record import Fault, Row
from deploy.cli.output import ExitCode, Failed
from services.ingest.domain.rest.item import Item

_MAX_LINE_CHARS = 8_388_608
_MOST_SAMPLES = 200
_MOST_COLUMNS = 200
_DEEPEST = 4
_TOO_LONG: Final = Fault(
    "", f"the line is longer than {_MAX_LINE_CHARS} characters", "Split it, or attach less."
)
_OWN: Final = frozenset(Item.model_fields)


class NdjsonReader:
    """See `Reader`. Columns are the keys, those of objects within objects with dots between them.

    `own_form`: what is in it are items as `POST /v1/feedback` takes them.
    """

    format = "ndjson"

    def __init__(self, opened: Opened, *, encoding: str | None) -> None:
        self._opened = opened
        self.size = opened.size
        self.encoding = known(encoding) if encoding else encoding_of(opened.stream())
        self.columns: tuple[str, ...] = ()
        self.samples = list(islice((row for row in self.rows() if row.fault is None), _MOST_SAMPLES))
        if not self.samples:
            raise Failed(f"there is no JSON object in {opened.path}", "it needs one a line", ExitCode.USAGE)
        names = (name for row in self.samples for name in _leaves(row.cells))
        self.columns = tuple(islice(dict.fromkeys(names), _MOST_COLUMNS))
        self.own_form = all(_is_item(row.cells) for row in self.samples)
        self.notes = [f"{self.encoding.removesuffix('-sig')}, one object a line"]
        if self.own_form:
            self.notes.append("the rows are items of POST /v1/feedback, and sent as they are")

    def rows(self) -> Iterator[Row]:
        text = io.TextIOWrapper(self._opened.stream(), self.encoding, "surrogateescape", newline="\n")
        number, within = 0, False
        for line in iter(partial(text.readline, _MAX_LINE_CHARS), ""):
            ends = line.endswith("\n")
            if within or (not ends and len(line) == _MAX_LINE_CHARS):
                number += not within
                if not within:
                    yield Row(number, {f"{OURS}raw": line[:1_000]}, _TOO_LONG)
                within = not ends
                continue
            number += 1
            if not line.isspace():
                yield _row(number, line)

    def position(self) -> int:
        return self._opened.position()

    def getter(self, column: int) -> Callable[[Any], str]:
        name = self.columns[column]
        if "." not in name:
            return lambda cells: _text(cells.get(name))
        path = name.split(".")
        return lambda cells: _text(cells[name] if name in cells else _at(cells, path))

    def digest_of(self, rows: Sequence[Any]) -> bytes:
        return "".join([json.dumps(cells) + "\n" for cells in rows]).encode()


def _row(number: int, line: str) -> Row:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        said = (
            f"it is not JSON: {error.msg}, column {error.colno}"
            if isinstance(error, json.JSONDecodeError)
            else "it is not JSON"
        )
        return Row(
            number,
            {f"{OURS}raw": line.rstrip("\r\n")},
            Fault("", said, "Write one JSON object on each line."),
        )
    if not isinstance(value, dict):
        return Row(
            number,
            {f"{OURS}raw": line.rstrip("\r\n")},
            Fault("", "it is no JSON object", "Write one on each line."),
        )
    return Row(number, value)


def _is_item(value: dict[str, Any]) -> bool:
    """All its fields are an item's, and not by chance: what a stranger calls author is mostly a word."""
    own = {name: inner for name, inner in value.items() if not name.startswith(OURS)}
    person = own.get("author", {})
    named = isinstance(own.get("text"), str) or own.get("change") == "deleted"
    return (
        named
        and own.keys() <= _OWN
        and isinstance(person, dict)
        and not isinstance(own.get("rating"), int | str)
    )


def _leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[str]:  # noqa: ANN401 - any JSON
    if isinstance(value, dict) and len(path) < _DEEPEST:
        for name, inner in value.items():
            yield from _leaves(inner, (*path, name))
    elif isinstance(value, list) and value and len(path) < _DEEPEST and isinstance(value[0], dict):
        yield from _leaves(value[0], (*path, "0"))
    elif path and not isinstance(value, list | dict):
        yield ".".join(path)


def _at(value: Any, path: list[str]) -> Any:  # noqa: ANN401 - any JSON
    for name in path:
        if isinstance(value, dict):
            value = value.get(name)
        elif isinstance(value, list) and name.isdecimal() and int(name) < len(value):
            value = value[int(name)]
        else:
            return None
    return value


def _text(value: Any) -> str:  # noqa: ANN401 - any JSON
    if isinstance(value, str):
        return value.replace("\0", "") if "\0" in value else value
    if value is None or isinstance(value, dict | list):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, float) and not value.is_integer() else str(int(value))
