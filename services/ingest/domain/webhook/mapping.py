"""From the body of a declared webhook to submissions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from math import isfinite
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.parser import ParsedResult
from pydantic import ValidationError

from services.ingest.domain.rest.convert import Converter
from services.ingest.domain.rest.item import Item
from services.ingest.domain.submission import Submission
from shared import ids
from shared.domain.api_key import ApiKey, Scope
from shared.domain.webhook import Webhook
from shared.errors import InvalidInput, Reason
from shared.http.document import bad_texts, loads
from shared.http.faults import faults

#: More in one request is no webhook any more.
MAX_ITEMS = 1_000
#: Beyond it a number of seconds since 1970 must be one of milliseconds (the year 5138).
_SECONDS_END = 100_000_000_000
_TEXTS = frozenset({"text", "title", "external_id", "thread_id", "url", "kind", "email", "id", "name"})
_NUMBERS = frozenset({"value", "min", "max"})
_TIMES = frozenset({"occurred_at"})
_FLAGS = frozenset({"confidential", "verified"})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Mapped:
    """Submissions and faults by the number of their item; `skipped` are no feedback."""

    submissions: dict[int, Submission] = field(default_factory=dict)
    faults: dict[int, InvalidInput] = field(default_factory=dict)
    skipped: int = 0


class Mapper:
    """A declaration, compiled. Raises nothing for odd bodies but InvalidInput."""

    def __init__(self, webhook: Webhook) -> None:
        self.webhook = webhook
        self._items = _compiled(webhook.items)
        self._skip = _compiled(webhook.skip)
        self._map = {target: jmespath.compile(text) for target, text in webhook.map.items()}
        self._key = ApiKey(
            id=webhook.id,
            name=webhook.id,
            source=webhook.source,
            scopes=frozenset({Scope.WRITE}),
            secret_hash="",
            created_at=_EPOCH,
        )

    def map(self, raw: bytes, only: tuple[int, ...], trace: str | None) -> Mapped:
        """What the body says, of all its items or `only` of some.

        Raises InvalidInput where it is no JSON, or not what `items` expects.
        """
        body = loads(raw)
        # The same body again, from the sender or from a dead letter, is the same pieces.
        retry_key = f"{self.webhook.id}:{ids.digest(raw)}"
        converter = Converter(key=self._key, max_files=0, max_file_bytes=0, retry_key=retry_key, trace=trace)
        mapped, skipped = Mapped(), 0
        for number, found in enumerate(self._found(body)):
            if only and number not in only:
                continue
            try:
                if self._skip is not None and _is_true(_asked(self._skip, found, "skip")):
                    skipped += 1
                else:
                    mapped.submissions[number] = self._submission(found, converter)
            except InvalidInput as fault:
                mapped.faults[number] = fault
        return replace(mapped, skipped=skipped)

    def _found(self, body: Any) -> list[Any]:  # noqa: ANN401 - any JSON value
        if self._items is None:
            return [body]
        found = _asked(self._items, body, "items")
        if not isinstance(found, list):
            raise _mapping("items", f"leads to {_named(found)}, not to a list")
        if len(found) > MAX_ITEMS:
            raise InvalidInput(Reason.TOO_LARGE, f"these are more than {MAX_ITEMS} items", field="items")
        return found

    def _submission(self, found: Any, converter: Converter) -> Submission:  # noqa: ANN401 - any JSON value
        values: dict[str, Any] = {}
        for target, expression in self._map.items():
            value = _asked(expression, found, f"map/{target}")
            if value is not None:
                _put(values, target, _fitting(target, value))
        for name in ("product", "touchpoint"):
            values.setdefault(name, getattr(self.webhook, name))
        _whole_rating(values)
        for fault in bad_texts(values):
            raise fault
        try:
            # As JSON: a strict model takes the words of an enumeration only from there.
            item = Item.model_validate_json(json.dumps(values, default=datetime.isoformat))
        except ValidationError as error:
            first = faults(error, Item)[0]
            raise _mapping(f"map/{first.field.replace('/', '.')}", first.detail) from None
        submission = converter.convert(item)
        # Nobody reads our answer and mends the request: what is merely absurd is mended here, and noted.
        return replace(
            submission, channel=self.webhook.channel, affiliation=self.webhook.affiliation, strict=False
        )


def _compiled(expression: str | None) -> ParsedResult | None:
    return None if expression is None else jmespath.compile(expression)


def _asked(expression: ParsedResult, value: Any, where: str) -> Any:  # noqa: ANN401 - any JSON value
    try:
        return expression.search(value)
    except (JMESPathError, TypeError, ValueError, RecursionError) as error:
        raise _mapping(where, f"cannot be worked out for this body ({type(error).__name__})") from None


def _is_true(value: Any) -> bool:  # noqa: ANN401 - any JSON value
    """As JMESPath has it: everything but null, false, and what is empty; 0 is true."""
    return value not in (None, "", [], {}) and value is not False


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
        raise _mapping(f"map/{target}", f"leads to {_named(value)}, not to a text")
    if isinstance(value, list):
        if any(isinstance(part, list) for part in value):
            raise _mapping(f"map/{target}", "leads to a list of lists, not to a text")
        return "\n\n".join(_text(target, part) for part in value if part is not None)
    if isinstance(value, float) and not isfinite(value):
        raise _mapping(f"map/{target}", "leads to a number without end, not to a text")
    return str(value)


def _number(target: str, value: Any) -> float:  # noqa: ANN401 - any JSON value
    try:
        return float(_no_flag(value))
    except (TypeError, ValueError, OverflowError):
        raise _mapping(f"map/{target}", f"leads to {_named(value)}, not to a number") from None


def _time(target: str, value: Any) -> datetime:  # noqa: ANN401 - any JSON value
    """ISO 8601, where one without a zone is in UTC, or seconds or milliseconds since 1970."""
    try:
        if isinstance(value, str) and not value.strip().lstrip("-").isdigit():
            moment = datetime.fromisoformat(value.strip())
            return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
        number = float(_no_flag(value))
        return datetime.fromtimestamp(number if abs(number) < _SECONDS_END else number / 1000, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        raise _mapping(f"map/{target}", f"leads to {_named(value)}, not to a time") from None


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


def _mapping(where: str, detail: str) -> InvalidInput:
    return InvalidInput(
        Reason.MAPPING,
        f"`{where.partition('/')[2] or where}` {detail}",
        field=where,
        remedy="Mend the webhook's mapping in the workspace, then replay.",
    )


def _named(value: Any) -> str:  # noqa: ANN401 - any JSON value
    names = {type(None): "nothing", bool: "true or false", str: "a text", list: "a list", dict: "an object"}
    return names.get(type(value), "a number")
