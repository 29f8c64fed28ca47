from __future__ import annotations

import asyncio
import contextlib

import pytest

from shared.breaker import Breaker
from shared.errors import DependencyDown, InvalidInput, Reason
from tests.support.wait import until


async def attempt(breaker: Breaker, *, fails: bool = False, anyway: bool = False) -> bool:
    """Whether the body was reached."""
    reached = False
    with contextlib.suppress(DependencyDown):
        async with breaker.attempt(anyway=anyway):
            reached = True
            if fails:
                raise DependencyDown("kafka")
    return reached


async def test_what_works_is_let_through() -> None:
    breaker = Breaker("kafka", within_s=1)
    assert await attempt(breaker)
    assert not breaker.away


async def test_after_a_failure_nobody_waits_again() -> None:
    breaker = Breaker("kafka", within_s=1, probe_every_s=60)
    assert await attempt(breaker, fails=True)
    assert breaker.away
    assert not await attempt(breaker)


async def test_whose_business_it_is_finds_out_that_it_is_back() -> None:
    breaker = Breaker("kafka", within_s=1, probe_every_s=60)
    await attempt(breaker, fails=True)
    assert await attempt(breaker, anyway=True)
    assert not breaker.away
    assert await attempt(breaker)


async def test_now_and_then_one_probes() -> None:
    breaker = Breaker("kafka", within_s=1, probe_every_s=0.05)
    await attempt(breaker, fails=True)
    await until(lambda: attempt(breaker, fails=True), within_s=5, what="a probe is let through")
    assert not await attempt(breaker)
    await until(lambda: attempt(breaker), within_s=5, what="a probe is let through")
    assert not breaker.away


async def test_whoever_does_not_answer_is_away() -> None:
    breaker = Breaker("kafka", within_s=0.01)
    with pytest.raises(DependencyDown, match=r"within 0\.01 s"):
        async with breaker.attempt():
            await asyncio.Event().wait()
    assert breaker.away


async def test_what_takes_longer_gets_its_time() -> None:
    breaker = Breaker("kafka", within_s=0.0)
    loop = asyncio.get_running_loop()
    async with breaker.attempt(extra_s=5):
        moment = loop.time()
        await until(lambda: loop.time() > moment + 0.02, within_s=1, what="time passes")
    assert not breaker.away


async def test_a_bad_item_is_not_an_outage() -> None:
    breaker = Breaker("kafka", within_s=1)
    with pytest.raises(InvalidInput):
        async with breaker.attempt():
            raise InvalidInput(Reason.EMPTY, "nothing")
    assert not breaker.away
