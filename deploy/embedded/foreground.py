"""The stack in the foreground of a terminal: until Ctrl-C, SIGTERM, or the death of a process."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from typing import TYPE_CHECKING

from deploy.embedded.errors import EmbeddedError

if TYPE_CHECKING:
    from deploy.embedded.stack import EmbeddedStack

STOPPED_AS_ASKED = 0
FAILED = 1


async def run(stack: EmbeddedStack, on_ready: Callable[[EmbeddedStack], None] = lambda _: None) -> int:
    """The exit code. A second Ctrl-C does not wait for anybody's grace."""
    loop = asyncio.get_running_loop()
    work = asyncio.create_task(_until_death(stack, on_ready), name="embedded stack")
    interrupts = 0

    def interrupted() -> None:
        nonlocal interrupts
        interrupts += 1
        if interrupts == 1:
            stack.output("embedded", "stopping (Ctrl-C again: at once)")
            work.cancel()
        else:
            stack.children.kill()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupted)
    try:
        await work
    except asyncio.CancelledError:
        return STOPPED_AS_ASKED
    except EmbeddedError as error:
        stack.output("embedded", str(error))
        return FAILED
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
    return STOPPED_AS_ASKED


async def _until_death(stack: EmbeddedStack, on_ready: Callable[[EmbeddedStack], None]) -> None:
    async with stack:
        on_ready(stack)
        raise await stack.children.wait_for_death()
