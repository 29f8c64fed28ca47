"""A child process that can be started, listened to, stopped, killed and paused."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

from deploy.embedded.errors import ChildDied
from deploy.embedded.output import shorten
from deploy.embedded.process import Life

if TYPE_CHECKING:
    from deploy.embedded.output import LineSink
    from deploy.embedded.process import Command, Exit


class Child:
    """A command that can be run again after it ended.

    `start()` must be called in a thread that lives as long as the child is wanted: the kernel kills the child
    when that *thread* ends, not only when the process does.
    """

    def __init__(self, command: Command, on_line: LineSink) -> None:
        self.command = command
        self.name = command.name
        self._on_line = on_line
        self._life: Life | None = None

    @property
    def running(self) -> bool:
        return self._life is not None and not self._life.ended.done()

    @property
    def pid(self) -> int:
        return self._alive().process.pid

    @property
    def stop_asked(self) -> bool:
        """Whether its end is the one that `stop()` or `kill()` brought about."""
        return self._alive().stop_asked

    def start(self) -> None:
        if self.running:
            raise RuntimeError(f"{self.name} is running already")
        self._life = Life(self.command, self._on_line)

    async def wait(self) -> Exit:
        """Its end, after its last line was read."""
        return await asyncio.wrap_future(self._alive().ended)

    async def stop(self) -> Exit:
        """SIGTERM, and SIGKILL to its whole group when the grace is over. Ended already: nothing happens."""
        life = self._alive()
        life.stop_asked = True
        # A stopped process would only see the SIGTERM when it goes on.
        life.send_to_group(signal.SIGCONT)
        life.send(signal.SIGTERM)
        try:
            async with asyncio.timeout(self.command.grace_s):
                return await self.wait()
        except TimeoutError:
            self._on_line(self.name, f"still running {self.command.grace_s:g} s after SIGTERM: killed")
            return await self.kill()

    async def kill(self) -> Exit:
        """SIGKILL to its whole group."""
        self.kill_now()
        return await self.wait()

    def kill_now(self) -> None:
        """As `kill()`, without waiting for the end."""
        life = self._alive()
        life.stop_asked = True
        life.send_to_group(signal.SIGKILL)

    def pause(self) -> None:
        """SIGSTOP: it answers nothing, but its connections stay open."""
        self._alive().send_to_group(signal.SIGSTOP)

    def resume(self) -> None:
        self._alive().send_to_group(signal.SIGCONT)

    def death(self) -> ChildDied:
        """What to raise when it ended unasked. Only after its end."""
        life = self._alive()
        lines = [shown[1] if (shown := shorten(line)) else line for line in life.last_lines]
        return ChildDied(self.name, str(life.ended.result()), lines)

    def _alive(self) -> Life:
        if self._life is None:
            raise RuntimeError(f"{self.name} was never started")
        return self._life
