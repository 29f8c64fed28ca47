"""Which pieces count. The one place that says so, for whoever sums, weighs, learns or reports."""

from __future__ import annotations

from typing import Final

from shared.events.feedback import Mode

#: How a query says it: `{"mode": {"$in": [...]}}`.
COUNTED: Final[frozenset[Mode]] = frozenset(Mode) - {Mode.TEST}


def counts(mode: Mode) -> bool:
    """Whether a piece that came so counts for trends, weights, learning, digests and summaries.

    A test does not: it is classified and stored, so that its way can be followed, and that is all. Whatever
    is old does: it alerts nobody and is feedback all the same.
    """
    return mode in COUNTED
