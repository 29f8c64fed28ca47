"""Changes of the directory as people read them: what differs, kind by kind, and who made a version."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from rich.text import Text

from shared.domain.difference import Difference
from shared.store.directory import Entry, Origin, Version

_MOST_NAMES = 6
#: How a version came about, after "by somebody".
_ORIGINS = {
    Origin.FILE: "a file",
    Origin.CONSOLE: "the console",
    Origin.API: "the API",
    Origin.CSV: "a CSV",
    Origin.COMMAND: "a command",
    Origin.OTHER: "another way",
}


def line(difference: Difference) -> Text:
    """`people        + 2 nele-brandt, tom-okafor   ~ 1 maren-voss (title)`."""
    said = Text(f"{difference.what:<13}")
    changed = tuple(
        f"{name} ({', '.join(fields)})" if fields else name for name, fields in difference.changed
    )
    groups = (("+", "green", difference.added), ("-", "red", difference.removed), ("~", "yellow", changed))
    for sign, style, names in groups:
        if names:
            said.append(f" {sign} {len(names)} ", style=style).append(f"{some(names)}  ")
    if difference.reordered:
        said.append(" in another order", style="yellow")
    return said


def summary(found: Iterable[Difference]) -> str:
    """`people +2 -1 ~1 · accounts +40`: one line for a list of versions."""
    return " · ".join(_counted(difference) for difference in found) or "nothing"


def _counted(difference: Difference) -> str:
    counts = {"+": difference.added, "-": difference.removed, "~": difference.changed}
    said = [f"{sign}{len(names)}" for sign, names in counts.items() if names]
    return " ".join([difference.what, *said, *(["reordered"] if difference.reordered else [])])


def some(names: Iterable[str], most: int = _MOST_NAMES) -> str:
    """The first few, and how many more there are."""
    all_of_them = list(names)
    shown = ", ".join(all_of_them[:most])
    more = len(all_of_them) - most
    return f"{shown}, and {more} more" if more > 0 else shown


def made_by(version: Version | Entry) -> str:
    """`lea, in version 5 (the console), 2026-11-26 10:12`."""
    how = _ORIGINS[version.origin]
    return f"{version.author}, in version {version.number} ({how}), {minute(version.applied_at)}"


def minute(moment: datetime) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M}"


def version_json(version: Version | Entry) -> dict[str, object]:
    return {
        "version": version.number,
        "author": version.author,
        "origin": version.origin.value,
        "applied_at": version.applied_at,
    }
