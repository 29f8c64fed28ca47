"""A body that a webhook's mapping reads as a given text, where the mapping shows where that stands."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from itertools import islice, product
from typing import Any, Final, TypeAlias

import jmespath

from services.ingest.domain.submission import Submission
from services.ingest.domain.webhook.mapping import Mapper
from shared.domain.webhook import Webhook
from shared.errors import InvalidInput

#: Keys, and numbers of places in lists, from the root.
Place: TypeAlias = tuple[str | int, ...]
_Node: TypeAlias = Mapping[str, Any]
_ABSENT: Final = object()
_MOST_TRIES = 200
_FARTHEST = 20


def body_for(hook: Webhook, text: str, number: str, fits: Callable[[Submission], bool]) -> bytes | None:
    """The body; None where none was found that `fits`, as `text` or at all.

    It is tried out with the very code of the door: what comes back is read as one piece, and not skipped.
    """
    if "text" not in hook.map:
        return None
    for guesses in islice(_guesses(hook.skip), _MOST_TRIES):
        for also in ({"external_id": number}, {}):
            raw = _body(hook, [*guesses, *_wanted(hook, {**also, "text": text})])
            if raw is not None and _is_taken(hook, raw, fits):
                return raw
    return None


def _is_taken(hook: Webhook, raw: bytes, fits: Callable[[Submission], bool]) -> bool:
    try:
        mapped = Mapper(hook).map(raw, (), None)
    except InvalidInput:
        return False
    pieces = list(mapped.submissions.values())
    return len(pieces) == 1 and not mapped.faults and not mapped.skipped and fits(pieces[0])


def _wanted(hook: Webhook, values: Mapping[str, str]) -> Iterator[tuple[Place, object]]:
    for target, value in values.items():
        if target in hook.map:
            yield from _stands(jmespath.compile(hook.map[target]).parsed, value)


def _body(hook: Webhook, values: list[tuple[Place, object]]) -> bytes | None:
    """None where two values cannot stand where they would have to."""
    holder: dict[str | int, Any] = {}
    whole: Place = ()
    if hook.items is not None:
        found = _place(jmespath.compile(hook.items).parsed)
        if found is None:
            return None
        # `responses` leads to the list, `responses[]` into it.
        whole = found if found[-1:] == (0,) else (*found, 0)
    try:
        for place, value in values:
            _put(holder, ("body", *whole, *place), value)
    except (TypeError, AttributeError, IndexError):
        return None
    return json.dumps(holder.get("body", {})).encode()


def _put(holder: Any, place: Place, value: object) -> None:  # noqa: ANN401 - a dict or a list
    """Raises TypeError, AttributeError or IndexError where something else stands in the way."""
    for part, following in zip(place, (*place[1:], None), strict=True):
        if isinstance(part, int):
            part = max(part, 0)  # noqa: PLW2901 - the last of a list that has one
            if part > _FARTHEST:
                raise IndexError
            holder.extend({} for _ in range(part + 1 - len(holder)))
        if following is None:
            holder[part] = value
        elif isinstance(part, int):
            if isinstance(following, int) and not isinstance(holder[part], list):
                holder[part] = []
        else:
            holder.setdefault(part, [] if isinstance(following, int) else {})
        holder = holder[part]


def _stands(node: _Node, value: str) -> Iterator[tuple[Place, object]]:
    """Where `value` has to stand for the expression to lead to it, and what a filter on the way wants."""
    place = _place(node)
    if place is not None:
        for condition in _filters(node):
            left, right = condition["children"][:2]
            at = _place(left)
            if condition["value"] == "eq" and at is not None and right["type"] == "literal":
                yield (*_list_of(node), 0, *at), right["value"]
        yield place, value


def _place(node: _Node) -> Place | None:
    """Where an expression looks first; None for one that looks nowhere."""
    children: list[_Node] = node["children"]
    place: Place | None = None
    match node["type"]:
        case "field" | "index":
            place = (node["value"],)
        case "current" | "identity":
            place = ()
        case "subexpression" | "index_expression":
            place = _joined(children)
        case "projection" | "filter_projection":
            place = _joined([children[0], {"type": "index", "value": 0, "children": []}, children[1]])
        case "flatten" | "pipe":
            # What comes after a list of one is that one.
            place = _place(children[0])
        case "or_expression" | "function_expression" | "multi_select_list":
            place = next((found for found in map(_place, children) if found is not None), None)
    return place


def _joined(nodes: list[_Node]) -> Place | None:
    places = [_place(node) for node in nodes]
    return None if None in places else tuple(part for place in places if place is not None for part in place)


def _filters(node: _Node) -> Iterator[_Node]:
    if node["type"] == "filter_projection" and node["children"][2]["type"] == "comparator":
        yield node["children"][2]
    for child in node["children"]:
        yield from _filters(child)


def _list_of(node: _Node) -> Place:
    """The list that the first filter of an expression goes through."""
    if node["type"] == "filter_projection":
        return _place(node["children"][0]) or ()
    return next((_list_of(child) for child in node["children"] if any(_filters(child))), ())


def _guesses(skip: str | None) -> Iterator[list[tuple[Place, object]]]:
    """What might keep a body from being skipped: every word that `skip` compares with, yes, no, nothing."""
    if skip is None:
        yield []
        return
    parsed = jmespath.compile(skip).parsed
    places = list(dict.fromkeys(_asked(parsed)))
    words = list(dict.fromkeys(json.dumps(each) for each in _literals(parsed)))
    values = [_ABSENT, True, *(json.loads(word) for word in words), False, "self-test", 1, 0]
    for chosen in product(values, repeat=len(places)):
        yield [(at, value) for at, value in zip(places, chosen, strict=True) if value is not _ABSENT]


def _asked(node: _Node) -> Iterator[Place]:
    place = _place(node) if node["type"] in {"field", "subexpression", "index_expression"} else None
    if place is not None:
        yield place
        return
    for child in node["children"]:
        yield from _asked(child)


def _literals(node: _Node) -> Iterator[object]:
    if node["type"] == "literal":
        yield node["value"]
    for child in node["children"]:
        yield from _literals(child)
