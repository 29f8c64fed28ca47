"""Hints that name nothing: the piece is kept all the same, since losing it over a hint would be worse."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pydantic import BaseModel

from services.ingest.domain.rest.body import Entry
from services.ingest.domain.rest.item import Item
from shared.domain.directory import Directory
from shared.domain.suggest import did_you_mean

#: Comparing a word with all that are known takes a while; a request may have 10,000 of them.
_MOST_SUGGESTIONS = 20
_MOST_WORD_CHARS = 64
_LISTED = "leave it out, or use an id of the workspace"


class Remark(BaseModel):
    """Something in a piece that was kept has no effect. `pointer` is as in a problem (RFC 6901)."""

    pointer: str
    detail: str
    remedy: str


def has_hints(entries: Iterable[Entry]) -> bool:
    return any(entry.item.product or entry.item.touchpoint for entry in entries if entry.item is not None)


def remarks(entries: Sequence[Entry], directory: Directory) -> list[list[Remark]]:
    """For each entry, in order, what is said of its product and touchpoint when there is none of that id."""
    known: dict[str, Iterable[str]] = {"product": directory.products, "touchpoint": directory.touchpoints}
    found: list[list[Remark]] = []
    suggested = 0
    for entry in entries:
        of_entry = []
        for field, hint in _hints(entry.item) if entry.item is not None else ():
            if hint in known[field]:
                continue
            word = hint[:_MOST_WORD_CHARS]
            remedy = did_you_mean(word, known[field], _LISTED) if suggested < _MOST_SUGGESTIONS else _LISTED
            suggested += 1
            said = f"there is no such {field}, so this hint is not used"
            of_entry.append(Remark(pointer=f"{entry.at}/{field}", detail=said, remedy=remedy))
        found.append(of_entry)
    return found


def _hints(item: Item) -> list[tuple[str, str]]:
    given = (("product", item.product), ("touchpoint", item.touchpoint))
    return [(field, hint.strip()) for field, hint in given if hint and hint.strip()]
