"""The walk through the tree of routes, told node by node: for whoever asks why a receiver gets a piece."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from shared.domain.matchers import Labels, parse_matcher
from shared.domain.route import Route


class Fate(StrEnum):
    """`took`: its receiver gets the piece. `passed`: it holds, and something below it took the piece.

    `held_not`: a matcher of it does not hold. `not_asked`: one before it, or above it, ended the walk.
    """

    TOOK = "took"
    PASSED = "passed"
    HELD_NOT = "held_not"
    NOT_ASKED = "not_asked"


@dataclass(frozen=True, slots=True)
class Step:
    """One node. `matchers` says of each whether it holds, in a node that was not asked as well."""

    receiver: str
    matchers: tuple[tuple[str, bool], ...]
    fate: Fate
    goes_on: bool
    below: tuple[Step, ...]


def steps(labels: Labels, root: Route) -> Step:
    """The whole tree as `shared.domain.routing.route` walks it; raises InvalidInput for a broken matcher."""
    return _step(labels, root, root.receiver or "", asked=True, is_root=True)


def takers(step: Step) -> Iterator[str]:
    """The receivers of the nodes that took the piece, in the order of the tree."""
    for lower in step.below:
        yield from takers(lower)
    if step.fate is Fate.TOOK:
        yield step.receiver


def _step(labels: Labels, node: Route, inherited: str, *, asked: bool, is_root: bool = False) -> Step:
    receiver = node.receiver or inherited
    matchers = tuple((text, parse_matcher(text).holds(labels)) for text in node.match)
    # The matchers of the root are not asked: somebody is always told.
    holds = is_root or all(held for _, held in matchers)
    below: list[Step] = []
    open_below = asked and holds
    for child in node.routes:
        lower = _step(labels, child, receiver, asked=open_below)
        below.append(lower)
        if lower.fate in {Fate.TOOK, Fate.PASSED} and not child.continue_:
            open_below = False
    return Step(receiver, matchers, _fate(below, asked=asked, holds=holds), node.continue_, tuple(below))


def _fate(below: list[Step], *, asked: bool, holds: bool) -> Fate:
    if not asked:
        return Fate.NOT_ASKED
    if not holds:
        return Fate.HELD_NOT
    return Fate.PASSED if any(step.fate in {Fate.TOOK, Fate.PASSED} for step in below) else Fate.TOOK
