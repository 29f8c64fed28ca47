"""From how near and how many to a certainty between 0 and 1."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence

from services.classifier.domain.keywords import Hit

_ONE_HIT = 0.7


def certainty(logit: float) -> float:
    """0..1; 0 → 0.5."""
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, logit))))


def saturate(hits: Iterable[Hit], labels: int) -> list[float]:
    """For each label how surely its words were used, 0..1: one rare word says much, the fifth little more.

    The same word counts once, however often somebody repeats it.
    """
    left = [1.0] * labels
    seen: dict[int, set[str]] = defaultdict(set)
    for hit in hits:
        if hit.keyword not in seen[hit.label]:
            seen[hit.label].add(hit.keyword)
            left[hit.label] *= 1.0 - _ONE_HIT * hit.weight
    return [1.0 - rest for rest in left]


def pick(certainties: Sequence[float], *, least: float, most: int, behind: float) -> list[int]:
    """The positions of those that count, the surest first.

    Each of them `least` certain, no more than `most` of them, and none further than `behind` the first.
    """
    ranked = sorted(range(len(certainties)), key=lambda position: (-certainties[position], position))
    top = certainties[ranked[0]] if ranked else 0.0
    return [p for p in ranked[:most] if certainties[p] >= max(least, top - behind)]
