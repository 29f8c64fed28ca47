"""Looks for the highest rate that is held: short probes to come near it, then the real thing."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable

FIRST_RATE = 50.0
_STEP = 1.5
_CLOSE_ENOUGH = 1.08
_MOST_PROBES = 10
_MOST_HOLDS = 4
_BACK = 0.9


async def search(
    holds: Callable[[float, float], Awaitable[bool]], *, probe_s: float, hold_s: float
) -> float | None:
    """The highest rate for which `holds(rate, hold_s)` was true; None when no rate was held.

    At most ten probes and four holds, whatever happens.
    """
    good, bad, rate = 0.0, math.inf, FIRST_RATE
    for _ in range(_MOST_PROBES):
        if await holds(rate, probe_s):
            good = rate
        else:
            bad = rate
        if bad <= good * _CLOSE_ENOUGH:
            break
        rate = _between(good, bad)
    for _ in range(_MOST_HOLDS):
        if good and await holds(good, hold_s):
            return good
        good *= _BACK
    return None


def _between(good: float, bad: float) -> float:
    if math.isinf(bad):
        return good * _STEP
    return math.sqrt(good * bad) if good else bad / 2
