"""A server under test: started, killed, stopped and paused at will, always on the same port."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from deploy.embedded.children import Child
from deploy.embedded.output import LineSink
from deploy.embedded.ports import PortLease, lease_port
from deploy.embedded.process import Command
from tests.support.wait import until


def unheard(_name: str, _line: str) -> None:
    """A server's output matters when it dies; then its last lines are in the error."""


class Opened(ABC):
    """Starts with an `async with` block and is closed with it, also when it could not start."""

    @abstractmethod
    async def start(self) -> None: ...

    @abstractmethod
    async def close(self) -> None: ...

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()


class Server(Opened):
    """Bound to no event loop: a fixture of the session may start it and a test in its own loop may kill it.

    `await start()` returns when it answers; a server that was killed or stopped may be started again.
    """

    within_s = 60.0

    def __init__(self, output: LineSink = unheard) -> None:
        self._output = output
        self._lease: PortLease = lease_port()
        self._child: Child | None = None

    @property
    @abstractmethod
    def version(self) -> str: ...

    @abstractmethod
    def _command(self) -> Command: ...

    @abstractmethod
    async def _answers(self) -> bool: ...

    @property
    def port(self) -> int:
        return self._lease.port

    @property
    def pid(self) -> int:
        return self._started().pid

    @property
    def running(self) -> bool:
        return self._child is not None and self._child.running

    async def start(self) -> None:
        if not self.running:
            self._child = Child(self._command(), self._output)
        child = self._started()
        child.start()
        await until(self._is_up, within_s=self.within_s, what=f"{child.name} answers on port {self.port}")

    async def stop(self) -> None:
        """SIGTERM. Not running: nothing happens."""
        if self.running:
            await self._started().stop()

    async def kill(self) -> None:
        """SIGKILL: it gets no chance to write anything down."""
        if self.running:
            await self._started().kill()

    def pause(self) -> None:
        """SIGSTOP: connections stay open and nobody answers, as on a machine that hangs."""
        self._started().pause()

    def resume(self) -> None:
        self._started().resume()

    @contextmanager
    def paused(self) -> Iterator[None]:
        self.pause()
        try:
            yield
        finally:
            self.resume()

    async def close(self) -> None:
        """Stopped for good; its port and its files are given back."""
        await self.stop()
        self._lease.release()

    async def _is_up(self) -> bool:
        child = self._started()
        if not child.running:
            raise child.death()
        return await self._answers()

    def _started(self) -> Child:
        if self._child is None:
            raise RuntimeError("the server was never started")
        return self._child
