"""From somebody else's JSON to an item of `POST /v1/feedback`, by the expressions of a mapping."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from math import isfinite
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.parser import ParsedResult
from pydantic import ValidationError

from services.ingest.domain.rest.item import Item
from shared.errors import InvalidInput, Reason
from shared.http.document import bad_texts
from shared.http.faults import faults

#: Beyond it a number of seconds since 1970 must be one of milliseconds (the year 5138).
_SECONDS_END = 100_000_000_000
_TEXTS = frozenset({"text", "title", "external_id", "thread_id", "url", "kind", "email", "id", "name"})
_NUMBERS = frozenset({"value", "min", "max"})
_TIMES = frozenset({"occurred_at"})
_FLAGS = frozenset({"confidential", "verified"})


class Fields:
    """The `map` of a declaration, compiled, and what it says of all its pieces."""

    def __init__(
        self, expressions: Mapping[str, str], *, product: str | None, touchpoint: str | None
    ) -> None:
        self._map = {target: jmespath.compile(text) for target, text in expressions.items()}
        self._fixed = {"product": product, "touchpoint": touchpoint}

    def item(self, found: Any) -> Item:  # noqa: ANN401 - any JSON value
        """What `found` says. Raises InvalidInput MAPPING where it does not fit, or has what is no text."""
        values: dict[str, Any] = {}
        for target, expression in self._map.items():
            value = asked(expression, found, f"map/{target}")
            if value is not None:
                _put(values, target, _fitting(target, value))
        for name, value in self._fixed.items():
            values.setdefault(name, value)
        _whole_rating(values)
        for fault in bad_texts(values):
            raise fault
        try:
            # As JSON: a strict model takes the words of an enumeration only from there.
            return Item.model_validate_json(json.dumps(values, default=datetime.isoformat))
        except ValidationError as error:
            first = faults(error, Item)[0]
            raise misfit(f"map/{first.field.replace('/', '.')}", first.detail) from None


def asked(expression: ParsedResult, value: Any, where: str) -> Any:  # noqa: ANN401 - any JSON value
    try:
        return expression.search(value)
    except (JMESPathError, TypeError, ValueError, RecursionError) as error:
        raise misfit(where, f"cannot be worked out for this body ({type(error).__name__})") from None


def misfit(where: str, detail: str) -> InvalidInput:
    return InvalidInput(
        Reason.MAPPING,
        f"`{where.partition('/')[2] or where}` {detail}",
        field=where,
        remedy="Mend the mapping in the workspace; then replay it, or send it again.",
    )


def named(value: Any) -> str:  # noqa: ANN401 - any JSON value
    names = {type(None): "nothing", bool: "true or false", str: "a text", list: "a list", dict: "an object"}
    return names.get(type(value), "a number")


def _put(values: dict[str, Any], target: str, value: Any) -> None:  # noqa: ANN401 - any JSON value
    group, _, name = target.rpartition(".")
    if group:
        values.setdefault(group, {})[name] = value
    else:
        values[name] = value


def _whole_rating(values: dict[str, Any]) -> None:
    """A form that was not asked for a rating sends none, and its scale alone is no rating."""
    rating = values.get("rating")
    if isinstance(rating, Mapping) and "value" not in rating:
        del values["rating"]


def _fitting(target: str, value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """`value` as the item wants it. Raises InvalidInput for what is something else altogether."""
    name = target.rpartition(".")[2]
    if name in _TEXTS:
        return _text(target, value)
    if name in _NUMBERS:
        return _number(target, value)
    if name in _TIMES:
        return _time(target, value)
    if name in _FLAGS and isinstance(value, str):
        return value.strip().lower() in {"true", "yes", "1"}
    if name == "revision":
        return _revision(target, value)
    return value


def _text(target: str, value: Any) -> str:  # noqa: ANN401 - any JSON value
    if isinstance(value, str):
        return value
    if isinstance(value, bool | Mapping):
        raise misfit(f"map/{target}", f"leads to {named(value)}, not to a text")
    if isinstance(value, list):
        if any(isinstance(part, list) for part in value):
            raise misfit(f"map/{target}", "leads to a list of lists, not to a text")
        return "\n\n".join(_text(target, part) for part in value if part is not None)
    if isinstance(value, float) and not isfinite(value):
        raise misfit(f"map/{target}", "leads to a number without end, not to a text")
    return str(value)


def _number(target: str, value: Any) -> float:  # noqa: ANN401 - any JSON value
    try:
        return float(_no_flag(value))
    except (TypeError, ValueError, OverflowError):
        raise misfit(f"map/{target}", f"leads to {named(value)}, not to a number") from None


def _time(target: str, value: Any) -> datetime:  # noqa: ANN401 - any JSON value
    """ISO 8601, where one without a zone is in UTC, or seconds or milliseconds since 1970."""
    try:
        if isinstance(value, str) and not value.strip().lstrip("-").isdigit():
            moment = datetime.fromisoformat(value.strip())
            return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
        number = float(_no_flag(value))
        return datetime.fromtimestamp(number if abs(number) < _SECONDS_END else number / 1000, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        raise misfit(f"map/{target}", f"leads to {named(value)}, not to a time") from None


def _no_flag(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """`value`, but for true and false, which Python takes for 1 and 0."""
    if isinstance(value, bool):
        raise TypeError
    return value


def _revision(target: str, value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """A whole number is a version; everything else is the time of the edit."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and value.isascii() and value.strip().isdigit() and len(value) < 19:  # noqa: PLR2004 - of int64
        return int(value)
    return _time(target, value)
