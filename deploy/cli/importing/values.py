"""What cells hold: addresses, numbers, ratings, yes and no."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from deploy.cli.importing.dates import is_date
from deploy.cli.importing.fields import plain
from deploy.cli.importing.record import Refused
from deploy.cli.output import ExitCode, Failed

__all__ = [
    "NOBODY",
    "Scale",
    "is_date",
    "is_email",
    "is_number",
    "is_rating",
    "rating_of",
    "scale_of",
    "scale_said",
    "yes_or_no",
]

_EMAIL = re.compile(r"[^\s@<>,;]+@[^\s@<>,;]+\.[^\s@<>,;]+")
_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?%?")
_RATING = re.compile(
    r"\s*(-?\d{1,4}(?:[.,]\d+)?)\s*(?:(?:/|of|out of|von|sur|de)\s*(\d{1,4}))?\s*"
    r"(?:[^\W\d][^\d]*|[-\u2013:(★*][^\d]*)?"
)
_STARS = re.compile(r"\s*([★⭐]+)\s*[☆✩]*\s*")
_YES: Final = frozenset(
    {"yes", "y", "true", "1", "x", "ja", "j", "wahr", "oui", "o", "vrai", "si", "s", "verdadero"}
)
_NO: Final = frozenset({"no", "n", "false", "0", "", "nein", "falsch", "non", "faux", "falso"})
#: What stands where nobody is named.
NOBODY: Final = frozenset(
    {"", "-", "--", "n/a", "na", "none", "null", "nil", "unknown", "anonymous", "anonym", "nan"}
)
_SCALE = re.compile(r"(-?\d+)-(\d+)(?::([a-z][a-z0-9_-]{0,39}))?")
_KINDS: Final = {5.0: "stars"}
_RECOMMEND = re.compile(r"\bnps\b|recom|weiterempf|likel")
_SATISFIED = re.compile(r"\bcsat\b|satisf|zufried")


@dataclass(frozen=True, slots=True)
class Scale:
    """From `min` to `max`; `kind` as in a rating of an item."""

    min: float
    max: float
    kind: str

    def __str__(self) -> str:
        return f"{self.min:g} to {self.max:g} ({self.kind})"


def is_email(text: str) -> bool:
    return _EMAIL.fullmatch(text.strip()) is not None


def is_number(text: str) -> bool:
    return _NUMBER.fullmatch(text.strip()) is not None


def is_rating(text: str) -> bool:
    return _RATING.fullmatch(text) is not None or _STARS.fullmatch(text) is not None


def rating_of(text: str, scale: Scale) -> dict[str, float | str]:
    """As an item has it: "4", "4,5", "4/5", "9 - very likely", "★★★★". Raises Refused."""
    value, most = _parts(text)
    top = most if most is not None else scale.max
    low = min(scale.min, top)
    if not low <= value <= top:
        raise Refused(
            "rating", f"the rating is not from {low:g} to {top:g}", "Correct it, or say --scale MIN-MAX."
        )
    return {"value": value, "min": low, "max": top, "kind": scale.kind}


def scale_of(name: str, values: Sequence[str]) -> Scale | None:
    """The scale of a column, by what it is called and the numbers in it; None when they are no ratings."""
    try:
        parts = [_parts(value) for value in values]
    except Refused:
        return None
    numbers = [number for number, _ in parts]
    if not numbers or min(numbers) < 0:
        return None
    most = max([top for _, top in parts if top is not None] or [max(numbers)])
    words = plain(name)
    if _RECOMMEND.search(words) and most <= 10:  # noqa: PLR2004 - the scale of NPS
        return Scale(0.0, 10.0, "nps")
    for top, kind in (
        (5.0, "csat" if _SATISFIED.search(words) else "stars"),
        (10.0, "score"),
        (100.0, "score"),
    ):
        if most <= top:
            from_one = kind != "score" and min(numbers) >= 1
            return Scale(1.0 if from_one else 0.0, top, kind)
    return None


def scale_said(text: str) -> Scale:
    """The scale that an option names: "0-10", "1-5:csat". Raises Failed."""
    found = _SCALE.fullmatch(text.strip())
    if found is None or float(found[1]) >= float(found[2]):
        raise Failed(f"--scale {text!r} is no scale", "write it like 0-10, or 1-5:csat", ExitCode.USAGE)
    top = float(found[2])
    return Scale(float(found[1]), top, found[3] or _KINDS.get(top, "score"))


def yes_or_no(text: str) -> bool:
    """Raises Refused for what is neither: in doubt nobody's confidence is given away."""
    word = plain(text)
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise Refused("confidential", "this says neither yes nor no", "Write yes or no.")


def _parts(text: str) -> tuple[float, float | None]:
    """(value, the best one if it says so)."""
    stars = _STARS.fullmatch(text)
    if stars is not None:
        return float(len(stars[1])), 5.0
    found = _RATING.fullmatch(text)
    if found is None:
        raise Refused("rating", "this is no rating", "Write a number, like 4 or 4/5, or leave it empty.")
    return float(found[1].replace(",", ".")), float(found[2]) if found[2] else None
