"""The nearest known word to one that is not known: what somebody probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

# Below this the suggestion is more often a distraction than a help (`emial` → `email` is 0.8).
_CLOSE = 0.6


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The one known word that looks most like `word`, whatever its case; None when none is close."""
    by_fold = {candidate.casefold(): candidate for candidate in known}
    found = difflib.get_close_matches(word.casefold(), by_fold, n=1, cutoff=_CLOSE)
    return by_fold[found[0]] if found else None


def did_you_mean(word: str, known: Iterable[str], otherwise: str) -> str:
    """A remedy in a sentence: the nearest known word, else what to do without one."""
    near = nearest(word, known)
    return f"did you mean {near!r}?" if near else otherwise
