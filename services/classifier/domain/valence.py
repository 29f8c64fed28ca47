"""Words of judgement in a segment, turned round where a negation stands before them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.classifier.domain.split import Segment

_TOKEN = re.compile(r"[\w']+")
#: "not a very good idea": how far a negation reaches.
_REACH = 3

#: "good", "bad" or "negation" → language → words
JudgementWords = Mapping[str, Mapping[str, Sequence[str]]]


@dataclass(frozen=True, slots=True)
class Valence:
    """How many words speak for and against."""

    good: float
    bad: float


class Judgements:
    """The words, ready to be looked up; of all languages, because a piece may mix them."""

    def __init__(self, words: JudgementWords) -> None:
        self._good = _all(words["good"])
        self._bad = _all(words["bad"])
        self._negations = _all(words["negation"])

    def weigh(self, segment: Segment) -> Valence:
        """A negated bad word speaks for it, but only half: "not bad", "no problem"."""
        tokens = _TOKEN.findall(segment.folded)
        good = bad = 0.0
        for position, token in enumerate(tokens):
            pair = f"{token} {tokens[position + 1]}" if position + 1 < len(tokens) else token
            praises = token in self._good or pair in self._good
            blames = token in self._bad or pair in self._bad
            if not praises and not blames:
                continue
            negated = any(self._negates(before) for before in tokens[max(0, position - _REACH) : position])
            good += (0.5 if negated and blames else 0.0) + (1.0 if praises and not negated else 0.0)
            bad += 1.0 if (blames and not negated) or (praises and negated) else 0.0
        return Valence(good, bad)

    def _negates(self, token: str) -> bool:
        return token in self._negations or token.endswith("n't")


def _all(by_language: Mapping[str, Sequence[str]]) -> frozenset[str]:
    return frozenset(word for words in by_language.values() for word in words)
