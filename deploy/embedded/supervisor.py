"""Several children as one: they start in order, stop in reverse order, and none outlives another's death."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from deploy.embedded.children import Child
from deploy.embedded.errors import ChildDied, EmbeddedError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from deploy.embedded.output import LineSink
    from deploy.embedded.process import Command

_ASK_EVERY_S = 0.02


class Supervisor:
    """To be made inside a running loop. When a child ends unasked, the rest is stopped, whoever waits."""

    def __init__(self, say: LineSink) -> None:
        self._say = say
        self._children: dict[str, Child] = {}
        self._watches: set[asyncio.Task[None]] = set()
        self._stopping: asyncio.Task[None] | None = None
        self._death: asyncio.Future[ChildDied] = asyncio.get_running_loop().create_future()

    def __getitem__(self, name: str) -> Child:
        return self._children[name]

    @property
    def death(self) -> ChildDied | None:
        return self._death.result() if self._death.done() else None

    def add(self, command: Command) -> Child:
        """Starts it."""
        child = self._children[command.name] = Child(command, self._say)
        self.start(command.name)
        return child

    def start(self, name: str) -> None:
        """Starts a known child again, after `kill()` or `stop()` of that child."""
        child = self._children[name]
        child.start()
        watch = asyncio.create_task(self._watch(child), name=f"watch {name}")
        self._watches.add(watch)
        watch.add_done_callback(self._watches.discard)

    async def until(self, check: Callable[[], Awaitable[bool]], *, what: str, within_s: float) -> None:
        """Returns when `check` says yes. Raises ChildDied if a child ends first, EmbeddedError if late."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within_s
        while not await check():
            if loop.time() > deadline:
                raise EmbeddedError(f"Not within {within_s:g} s: {what}.")
            await asyncio.wait({self._death}, timeout=_ASK_EVERY_S)
            if self._death.done():
                await self.stop()
                raise self._death.result()

    async def wait_for_death(self) -> ChildDied:
        """Returns once a child ended unasked and the rest is stopped."""
        died = await asyncio.shield(self._death)
        await self.stop()
        return died

    async def stop(self) -> None:
        """All of them, the last started first. May be asked more than once, and by more than one."""
        if self._stopping is None:
            self._stopping = asyncio.create_task(self._stop_in_order(), name="stop children")
        await asyncio.shield(self._stopping)

    def kill(self) -> None:
        """All at once, for whoever does not want to wait for `stop()`."""
        for child in self._children.values():
            child.kill_now()

    async def _stop_in_order(self) -> None:
        for child in reversed(self._children.values()):
            await child.stop()

    async def _watch(self, child: Child) -> None:
        await child.wait()
        if child.stop_asked or self._death.done():
            return
        died = child.death()
        self._death.set_result(died)
        self._say("supervisor", f"{child.name} died ({died.how}): stopping the rest")
        await self.stop()
