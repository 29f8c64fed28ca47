"""CloudEvents that are no items: which ones, by their type and source, and what becomes of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from pydantic import Field

from shared.domain.entity import Entity, Id
from shared.domain.mapping import Flaw, expression_fault, target_faults
from shared.events.feedback import Affiliation

_REST = "*"


class EventMapping(Entity):
    """Of events of this `type`, from this `source`, or both; with a `*` at its end it is how they begin.

    The expressions of `map` are asked of the whole event: its attributes, and what it carries as `data`.
    """

    id: Id
    type: str | None = Field(default=None, min_length=1, max_length=400)
    source: str | None = Field(default=None, min_length=1, max_length=400)
    map: dict[str, str]
    affiliation: Affiliation | None = None
    product: Id | None = None
    touchpoint: Id | None = None

    def fits(self, event_type: str, source: str) -> bool:
        return _fits(self.type, event_type) and _fits(self.source, source)

    @property
    def narrowness(self) -> tuple[bool, int, bool, int, str]:
        """The greater, the fewer events it is of; the type says more of what is in one than the source."""
        return (*_narrow(self.type), *_narrow(self.source), self.id)


def mapping_for(mappings: Iterable[EventMapping], event_type: str, source: str) -> EventMapping | None:
    """The narrowest of those that fit, in whatever order they are declared."""
    fitting = (mapping for mapping in mappings if mapping.fits(event_type, source))
    return max(fitting, key=lambda mapping: mapping.narrowness, default=None)


def faults(mappings: Sequence[EventMapping]) -> Iterator[tuple[int, Flaw]]:
    """What is wrong with each, by its place."""
    seen: dict[tuple[str | None, str | None], str] = {}
    for place, mapping in enumerate(mappings):
        if mapping.type is None and mapping.source is None:
            yield place, ((), "it is of every event", "say the `type`, the `source`, or both")
        for flaw in target_faults(mapping.map):
            yield place, flaw
        for target, expression in mapping.map.items():
            for flaw in expression_fault(("map", target), expression):
                yield place, flaw
        earlier = seen.setdefault((mapping.type, mapping.source), mapping.id)
        if earlier != mapping.id:
            yield place, ((), f"{earlier!r} is of the same events", "make one of the two")


def _fits(wanted: str | None, found: str) -> bool:
    if wanted is None or wanted == found:
        return True
    return wanted.endswith(_REST) and found.startswith(wanted.removesuffix(_REST))


def _narrow(wanted: str | None) -> tuple[bool, int]:
    return (wanted is not None and not wanted.endswith(_REST)), len(wanted or "")
