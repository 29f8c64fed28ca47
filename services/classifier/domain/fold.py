"""Folds case and accents and keeps every character in its place, so that offsets hold in the original."""

from __future__ import annotations

import unicodedata

_ALIKE = dict.fromkeys("\u2019\u2018`\u00b4", "'") | dict.fromkeys("\u201c\u201d\u201e\u00ab\u00bb", '"')


class _Folding(dict[int, str]):
    """Fills itself: one code point in, exactly one code point out."""

    def __missing__(self, code: int) -> str:
        folded = self[code] = _fold_one(chr(code))
        return folded


def _fold_one(char: str) -> str:
    if char in _ALIKE:
        return _ALIKE[char]
    lower = char.lower()
    base = "".join(c for c in unicodedata.normalize("NFKD", lower).lower() if not unicodedata.combining(c))
    if len(base) == 1 and not base.isspace():
        return base
    return " " if char.isspace() and char != "\n" else lower if len(lower) == 1 else char


_TABLE = _Folding()


def fold(text: str) -> str:
    """`text` in lower case, without accents, with plain quotes and spaces; as long as `text`."""
    return text.translate(_TABLE)
