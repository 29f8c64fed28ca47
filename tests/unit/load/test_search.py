"""The search for the highest rate ends, and near the truth."""

from __future__ import annotations

import pytest

from tests.load.search import search


@pytest.mark.parametrize("limit", [3.0, 49.0, 50.0, 137.0, 900.0])
async def test_it_ends_just_below_the_limit(limit: float) -> None:
    asked: list[tuple[float, float]] = []

    async def holds(rate: float, duration_s: float) -> bool:
        asked.append((rate, duration_s))
        return rate <= limit

    found = await search(holds, probe_s=1, hold_s=60)

    assert found is not None
    assert limit / 1.2 <= found <= limit
    assert asked[-1] == (found, 60)
    assert len(asked) <= 14


async def test_a_rate_held_only_for_a_moment_is_taken_back() -> None:
    async def holds(rate: float, duration_s: float) -> bool:
        return rate <= (100 if duration_s < 60 else 85)

    found = await search(holds, probe_s=1, hold_s=60)

    assert found is not None
    assert 70 <= found <= 85


async def test_where_nothing_holds_it_says_so() -> None:
    async def holds(rate: float, duration_s: float) -> bool:
        return False

    assert await search(holds, probe_s=1, hold_s=60) is None
