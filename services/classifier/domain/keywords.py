"""Finds the words of a taxonomy in a text, and says how much each of them tells about its label.

A keyword counts by its inverse label frequency: "invoice" under one label of twenty tells much, under ten
of them next to nothing (K. Spärck Jones, 1972, with labels in place of documents).
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.classifier.domain.fold import fold
from services.classifier.domain.split import Segment, Word

_TOKEN = re.compile(r"\w+")
_BUCKET_CHARS = 4
#: A word of four letters is the beginning of too many others, so only plain endings are taken for its own.
_SHORT_CHARS = 4
_PLAIN_ENDINGS = frozenset({"s", "es", "e", "n", "en", "er", "ed", "ing", "x"})
_ENDING_CHARS = 3
_COMPOUND_FROM_CHARS = 6


@dataclass(frozen=True, slots=True)
class Hit:
    """`start` and `end` are places in the field; `weight` is in 0..1."""

    label: int
    keyword: str
    field: str
    start: int
    end: int
    weight: float


@dataclass(frozen=True, slots=True)
class _Keyword:
    name: str
    words: tuple[str, ...]
    weights: tuple[tuple[int, float], ...]


class Keywords:
    """The words of a taxonomy, indexed. `label` is the position in the sequence it was built from."""

    def __init__(self, words: Sequence[Mapping[str, float]]) -> None:
        """`words`: for each label its keywords, each with a weight of its own in 0..1."""
        labels: dict[tuple[str, ...], dict[int, float]] = defaultdict(dict)
        for label, keywords in enumerate(words):
            for keyword, weight in keywords.items():
                parts = tuple(_TOKEN.findall(fold(keyword)))
                if parts:
                    labels[parts][label] = max(weight, labels[parts].get(label, 0.0))
        self._buckets: dict[str, list[_Keyword]] = defaultdict(list)
        for parts, weights in labels.items():
            rarity = _rarity(len(weights), len(words))
            weighed = tuple((label, weight * rarity) for label, weight in weights.items())
            self._buckets[parts[0][:_BUCKET_CHARS]].append(_Keyword(" ".join(parts), parts, weighed))

    def find(self, segment: Segment) -> list[Hit]:
        """Every occurrence in `segment`, in reading order."""
        words = segment.words
        hits: list[Hit] = []
        for position, word in enumerate(words):
            for keyword in self._buckets.get(word.text[:_BUCKET_CHARS], ()):
                if not _same(keyword.words, words[position : position + len(keyword.words)]):
                    continue
                end = words[position + len(keyword.words) - 1].end
                hits += [
                    Hit(label, keyword.name, segment.field, word.start, end, weight)
                    for label, weight in keyword.weights
                ]
        return hits


def _rarity(frequency: int, labels: int) -> float:
    """1.0 for a word of one label, 0.0 for a word of all of them."""
    if labels <= 1:
        return 1.0
    return math.log((1 + labels) / frequency) / math.log(1 + labels) if frequency < labels else 0.0


def _same(keyword: tuple[str, ...], words: tuple[Word, ...]) -> bool:
    if len(words) < len(keyword) or not _inflected(keyword[0], words[0].text):
        return False
    return all(_inflected(part, word.text) for part, word in zip(keyword[1:], words[1:], strict=True))


def _inflected(word: str, token: str) -> bool:
    """Whether `token` is `word`, also with an ending (invoice-s) or in a compound (Rechnung-sposten)."""
    if token == word:
        return True
    if not token.startswith(word) or len(word) < _SHORT_CHARS:
        return False
    if len(word) == _SHORT_CHARS:
        return token[_SHORT_CHARS:] in _PLAIN_ENDINGS
    return len(token) - len(word) <= _ENDING_CHARS or len(word) >= _COMPOUND_FROM_CHARS
