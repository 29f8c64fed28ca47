"""The tags of a piece with what they were read from, for people and for scripts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.text import Text

from shared.domain.lens import LENS_NAMES
from shared.events.feedback import Evidence, Judgement, Tags

_MOST_QUOTES = 3
_MOST_QUOTE_CHARS = 60


@dataclass(frozen=True, slots=True)
class Shown:
    """One tag. `score` is 0..1, None where there is one value only; `quotes` are the piece's own words."""

    tag: str
    value: str
    score: float | None
    quotes: tuple[str, ...]
    reason: str = ""


def shown(tags: Tags) -> tuple[Shown, ...]:
    """Every tag, touchpoints first, the most certain before the others."""
    return tuple(_all(tags))


def _all(tags: Tags) -> Iterator[Shown]:
    for product in tags.products:
        yield Shown("product", product, None, ())
    for touchpoint in sorted(tags.touchpoints, key=lambda tag: -tag.score):
        yield Shown("touchpoint", touchpoint.id, touchpoint.score, _quotes(touchpoint.evidence))
    for lens in sorted(tags.lenses, key=lambda tag: -tag.score):
        yield Shown("lens", LENS_NAMES[lens.id], lens.score, _quotes(lens.evidence))
    said: dict[str, list[Judgement]] = {}
    for judgement in tags.judgements:
        said.setdefault(judgement.tag, []).append(judgement)
    for name in ("polarity", "kind", "about", "urgency", "language"):
        own = said.pop(name, [])
        quotes = tuple(quote for judgement in own for quote in _quotes(judgement.evidence))
        reason = ", ".join(judgement.reason for judgement in own if judgement.reason)
        yield Shown(name, str(getattr(tags, name)), None, quotes, reason)
    for rest in said.values():
        for judgement in rest:
            # What the likeliest touchpoint would have been, where none was certain enough.
            yield Shown(
                f"{judgement.tag}?", judgement.value, None, _quotes(judgement.evidence), judgement.reason
            )


def lines(tags: Tags) -> Iterator[Text]:
    """`touchpoint  bill  0.82  “the line on the bill”`, and last why somebody has to look."""
    everything = shown(tags)
    width = max((len(one.tag) for one in everything), default=0)
    value_width = max((len(one.value) for one in everything), default=0)
    for one in everything:
        line = Text(f"{one.tag:<{width}}  ", style="dim").append(f"{one.value:<{value_width}}", style="bold")
        line.append(f"  {one.score:.2f}" if one.score is not None else "      ")
        line.append(f"  {one.reason}" if one.reason else "", style="magenta")
        line.append("".join(f"  “{quote}”" for quote in one.quotes[:_MOST_QUOTES]), style="cyan")
        yield line
    yield weight_line(tags, width)
    if tags.needs_triage:
        reason = (tags.triage_reason or "not said").replace("_", " ")
        yield Text(f"{'triage':<{width}}  ", style="dim").append(
            f"somebody has to look: {reason}", "bold red"
        )


def weight_line(tags: Tags, width: int) -> Text:
    weight = tags.weight
    parts = " · ".join(f"{name.replace('_', ' ')} {value:g}" for name, value in weight.parts.items())
    line = Text(f"{'weight':<{width}}  ", style="dim").append(f"{weight.value:g}", style="bold")
    line.append(f"  = {parts}" if parts else "")
    return line.append("" if weight.known else "  (weighed as unknown)", style="dim")


def as_json(tags: Tags) -> dict[str, object]:
    """The tags as they travel; the quotes are in them."""
    return tags.model_dump(mode="json")


def _quotes(evidence: Sequence[Evidence]) -> tuple[str, ...]:
    return tuple(one_line(span.quote) for span in evidence if span.quote.strip())


def one_line(text: str, most: int = _MOST_QUOTE_CHARS) -> str:
    """The beginning of `text` on one line, without what would steer a terminal."""
    flat = "".join(char if char.isprintable() else "·" for char in " ".join(text.split()))
    return flat if len(flat) <= most else flat[: most - 1] + "…"
