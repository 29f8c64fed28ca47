"""A classified piece and its deliveries, as one line for people or one object for scripts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from rich.text import Text

from shared.domain.delivery import CONTRIBUTOR, PLACE, SEALED, Delivery, Purpose, State
from shared.domain.lens import LENS_NAMES
from shared.events.feedback import FeedbackClassified, Polarity

_COLOURS = {
    Polarity.KEEP: "green",
    Polarity.CHANGE: "yellow",
    Polarity.MIXED: "cyan",
    Polarity.NEUTRAL: "dim",
}
_SHOWN_CHARS = 70


@dataclass(frozen=True, slots=True)
class Told:
    """Somebody who is told, by what, why, and whether it has arrived."""

    who: str
    by: str
    state: State
    purpose: Purpose
    why: tuple[str, ...]


def told(deliveries: Sequence[Delivery]) -> tuple[Told, ...]:
    """One entry a delivery, in the order planned.

    A row without a recipient goes to nobody: it remembers that a piece was deleted before it was heard of.
    """
    return tuple(
        Told(
            row.recipient,
            row.target.receiver if row.target else "",
            row.state,
            row.purpose,
            tuple(sentence.replace("*", "") for sentence in row.why),
        )
        for row in deliveries
        if row.recipient
    )


def touchpoints(piece: FeedbackClassified) -> str:
    """The most certain first; what could not be tagged says so."""
    names = [tag.id for tag in sorted(piece.tags.touchpoints, key=lambda tag: -tag.score)]
    if piece.tags.needs_triage:
        return f"needs triage{' (' + ', '.join(names) + '?)' if names else ''}"
    return ", ".join(names) or "-"


def lenses(piece: FeedbackClassified) -> str:
    ranked = sorted(piece.tags.lenses, key=lambda tag: -tag.score)
    return ", ".join(LENS_NAMES[tag.id] for tag in ranked) or "-"


def line(
    piece: FeedbackClassified, people: Sequence[Told], names: Mapping[str, str] = MappingProxyType({})
) -> Text:
    """`12:00:01  change  bill  [finance & legal]  "The line on the bill…"  → Petra Neumann (email)`.

    `names` has people's names by their ids.
    """
    tags = piece.tags
    text = Text(f"{piece.classified_at.astimezone():%H:%M:%S}  ", style="default")
    if piece.cause != "received":
        text.append(f"{piece.cause.value}  ", style="magenta")
    if tags.urgency == "urgent":
        text.append("urgent  ", style="bold red")
    text.append(f"{tags.polarity.value:<7}  ", style=_COLOURS[tags.polarity])
    text.append(touchpoints(piece), style="bold red" if tags.needs_triage else "bold")
    text.append(f"  [{lenses(piece)}]  ", style="blue")
    text.append(f"“{excerpt(piece)}”")
    text.append("  → " + (", ".join(_called(one, names) for one in people) or "nobody"), style="dim")
    return text


def _called(one: Told, names: Mapping[str, str]) -> str:
    """Somebody as people say it; an address that is sealed has no receiver that could be named."""
    if one.who == CONTRIBUTOR:
        return "whoever spoke" if one.by in {"", SEALED} else f"whoever spoke ({one.by})"
    who = names.get(one.who, one.who.removeprefix(PLACE))
    return f"{who} ({one.by})" if one.by else who


def excerpt(piece: FeedbackClassified) -> str:
    """The beginning of what was said, on one line and without what would steer a terminal."""
    flat = " ".join(f"{piece.title} {piece.text}".split())
    shown = "".join(char if char.isprintable() else "·" for char in flat)
    return shown if len(shown) <= _SHOWN_CHARS else shown[: _SHOWN_CHARS - 1] + "…"


def as_json(piece: FeedbackClassified, people: Sequence[Told]) -> dict[str, object]:
    return {
        **piece.model_dump(mode="json"),
        "told": [
            {"who": one.who, "by": one.by, "state": one.state, "purpose": one.purpose, "why": list(one.why)}
            for one in people
        ],
    }
