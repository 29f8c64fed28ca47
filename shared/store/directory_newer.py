"""A workspace that a newer release has written, as far as this one knows its words.

For whoever works by it: a service that was rolled back goes on. Never for whoever changes or copies it, since
what is passed over would be gone from the copy.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, TypeAlias

from pydantic import ValidationError

from shared.domain.lens import Lens
from shared.domain.matchers import parse_matcher
from shared.domain.route import ReceiverKind, Route
from shared.domain.workspace import Workspace, faults
from shared.errors import InvalidInput
from shared.store.connection import Document

Path: TypeAlias = tuple[str | int, ...]
Wrong: TypeAlias = list[tuple[Path, bool]]
#: Each time what referred to something that went goes as well; further than that nothing refers.
_MOST_TIMES = 10
#: Under these keys stands what has to hold of a request or a piece.
_CONDITIONS = frozenset({"verify", "match"})
#: Each entry of these lists is nothing but conditions.
_WHOLE = frozenset({("rules",), ("cloudevents",)})
_PEOPLE = {"id": "people", "kind": ReceiverKind.PEOPLE.value}


def as_far_as_known(stored: Document) -> tuple[Workspace, tuple[str, ...]] | None:
    """The workspace, and the paths in it that were passed over; None where too little of it is known.

    A field that is unknown goes, and so does a value that is, where it need not be said; else what it is said
    of, if that is one of several. A condition goes with what it is a condition of: without it more would fit.
    A reference to something that went goes as well: a route falls back to its parent's receiver.
    """
    tree = copy.deepcopy(stored)
    passed: list[Path] = []
    for _ in range(_MOST_TIMES):
        try:
            workspace = Workspace.model_validate(tree)
        except ValidationError as error:
            wrong = _innermost(
                [(tuple(fault["loc"]), fault["type"] == "missing") for fault in error.errors()]
            )
        else:
            paths = [fault.path for fault in faults(workspace)] if passed else _matchers(workspace.route)
            wrong = [(path, False) for path in paths]
            if not wrong:
                return workspace, tuple("/".join(map(str, path)) for path in passed)
        gone = [_gone(tree, path, is_missing=is_missing) for path, is_missing in _innermost(wrong)]
        if None in gone:
            return None
        # From the back, so that what stands before stays where it is.
        for path in sorted({path for path in gone if path}, key=_order, reverse=True):
            _remove(tree, path)
            passed.append(path)
    return None


def _innermost(wrong: Wrong) -> Wrong:
    """Without those that follow from others: a list is too short because none of its entries is read."""
    around = {path[:length] for path, _ in wrong for length in range(len(path))}
    return [(path, is_missing) for path, is_missing in wrong if path not in around]


def _gone(tree: Document, loc: Path, *, is_missing: bool) -> Path | None:
    """What is to go for an error at `loc`, which may name kinds beside places; None where nothing may."""
    places = list(_places(tree, loc))
    condition = next((place for place in places if place[-1] in _CONDITIONS), None)
    if condition is not None:
        places = places[: places.index(condition)]
    elif places and not is_missing:
        return next((place for place in places if place[-2:-1] in _WHOLE), places[-1])
    entries = [place for place in places if isinstance(place[-1], int)]
    return entries[-1] if entries else condition


def _matchers(route: Route, path: Path = ("route",)) -> Iterator[Path]:
    """Where there are some that cannot be read."""
    for place, matcher in enumerate(route.match):
        try:
            parse_matcher(matcher)
        except InvalidInput:
            yield (*path, "match", place)
    for place, child in enumerate(route.routes):
        yield from _matchers(child, (*path, "routes", place))


def _places(tree: Document, loc: Path) -> Iterator[Path]:
    """The places on the way to `loc`, the outermost first."""
    here: Any = tree
    path: Path = ()
    for step in loc:
        if not isinstance(here, dict | list):
            return
        try:
            here = here[step]  # type: ignore[index]
        except (LookupError, TypeError):
            continue
        path = (*path, step)
        yield path


def _order(path: Path) -> list[tuple[int, str]]:
    return [(step, "") if isinstance(step, int) else (0, step) for step in path]


def _remove(tree: Document, path: Path) -> None:
    here: Any = tree
    for step in path[:-1]:
        here = here[step]
    if path[0] == "departments" and path[-1] == "lens":
        # Nobody belongs to a department that is not there, so it stays.
        here["lens"] = Lens.MANAGEMENT.value
    else:
        del here[path[-1]]
    if path == ("route",) and all(one["id"] != _PEOPLE["id"] for one in tree.get("receivers", ())):
        # The default route leads there: somebody is always told.
        tree["receivers"] = [*tree.get("receivers", ()), _PEOPLE]
