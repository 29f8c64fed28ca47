"""One JSON document as a value: every fault in it at once, with its field; nothing of what was sent."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError

from shared.errors import InvalidInput, Reason
from shared.http.faults import faults
from shared.http.problem import pointer

Model = TypeVar("Model", bound=BaseModel)
_NO_TEXT = re.compile("[\x00\ud800-\udfff]")
_BOM = b"\xef\xbb\xbf"


class InvalidDocument(InvalidInput):
    """Several things are wrong at once; it is itself the first of them."""

    def __init__(self, found: Sequence[InvalidInput]) -> None:
        first = found[0]
        super().__init__(first.reason, first.detail, field=first.field, remedy=first.remedy)
        self.faults = tuple(found)


def read(raw: bytes, model: type[Model]) -> Model:
    """The document. Raises InvalidInput MALFORMED (names line and column), InvalidDocument for its faults."""
    return checked(value(raw), model)


def value(raw: bytes) -> Any:  # noqa: ANN401 - any JSON value
    """The value a whole body holds, not yet checked. Raises InvalidInput MALFORMED."""
    raw = raw.removeprefix(_BOM).strip()
    if not raw:
        raise InvalidInput(Reason.MALFORMED, "the body is empty", remedy="Send a JSON object.")
    return loads(raw)


def checked(value: Any, model: type[Model], *, strict: bool | None = None) -> Model:  # noqa: ANN401 - any JSON value
    """`value` as a `model`; `strict` refuses "12" for 12, as models of ours do that are only sent.

    Raises InvalidDocument.
    """
    bad = tuple(bad_texts(value))
    if bad:
        raise InvalidDocument(bad)
    try:
        return model.model_validate_json(json.dumps(value), strict=strict)
    except ValidationError as error:
        raise InvalidDocument(faults(error, model)) from None


def bad_texts(value: Any) -> Iterator[InvalidInput]:  # noqa: ANN401 - any JSON value
    """A fault for every string with a NUL, half of a surrogate pair, or bytes that were not UTF-8."""
    stack: list[tuple[tuple[str | int, ...], Any]] = [((), value)]
    while stack:
        path, found = stack.pop()
        if isinstance(found, dict):
            stack.extend(((*path, str(key)), inner) for key, inner in found.items())
            stack.extend(((*path, "?"), key) for key in found if _NO_TEXT.search(key))
        elif isinstance(found, list):
            stack.extend(((*path, index), inner) for index, inner in enumerate(found))
        elif isinstance(found, str) and _NO_TEXT.search(found):
            yield InvalidInput(
                Reason.BAD_TEXT,
                "a NUL character, half of a surrogate pair, or bytes that are not UTF-8",
                field=_NO_TEXT.sub("?", pointer(*path)[1:]),
                remedy="Send valid UTF-8 text without U+0000.",
            )


def loads(raw: bytes, *, first_line: int = 1) -> Any:  # noqa: ANN401 - any JSON value
    """The value. Bytes that are not UTF-8 became lone surrogates: they are the fault of one string only."""
    text = raw.decode("utf-8", "surrogateescape")
    try:
        return json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno + first_line - 1} column {error.colno}"
        raise InvalidInput(
            Reason.MALFORMED,
            f"this is not JSON at {where}: {error.msg}",
            remedy="Send valid JSON (RFC 8259).",
        ) from None
    except (RecursionError, ValueError):
        raise InvalidInput(
            Reason.MALFORMED,
            "this JSON is nested too deeply or has a number too long",
            remedy="Send a flat item as in /openapi.json.",
        ) from None


def _no_constant(name: str) -> NoReturn:
    msg = f"{name} is not JSON"
    raise ValueError(msg)
