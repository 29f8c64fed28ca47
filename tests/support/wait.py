"""Waiting for a condition with a deadline: the one place in the tests that lets time pass."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import TypeVar, overload

T = TypeVar("T")
U = TypeVar("U")

_ASK_EVERY_S = 0.02


@overload
async def until(condition: Callable[[], Awaitable[T]], *, within_s: float, what: str) -> T: ...


@overload
async def until(condition: Callable[[], U], *, within_s: float, what: str) -> U: ...


async def until(condition: Callable[[], object], *, within_s: float, what: str) -> object:
    """The first true value of `condition`, which may be a coroutine function.

    An AssertionError inside it means "not yet"; every other error is raised at once. Raises AssertionError
    after `within_s`, with what was seen last.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within_s
    seen: object = "nothing, the condition did not return in time"
    try:
        async with asyncio.timeout_at(deadline):
            while True:
                try:
                    value = condition()
                    answer = await value if inspect.isawaitable(value) else value
                except AssertionError as failure:
                    seen = failure
                else:
                    if answer:
                        return answer
                    seen = answer
                await asyncio.sleep(_ASK_EVERY_S)
    except TimeoutError:
        if loop.time() < deadline:
            raise  # the condition's own
    raise AssertionError(f"not within {within_s:g} s: {what} (last seen: {seen!r})")
