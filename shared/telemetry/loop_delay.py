"""How late the event loop is: what says that a process has more to do than its core can."""

from __future__ import annotations

import asyncio

from shared.telemetry.metrics import LOOP_DELAY_SECONDS

_EVERY_S = 0.5


async def measure_delay() -> None:
    """For ever."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + _EVERY_S
        await asyncio.sleep(_EVERY_S)
        LOOP_DELAY_SECONDS.observe(max(loop.time() - due, 0.0))
