"""The command, as it is typed: another process, with an environment of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.embedded.ports import lease_port
from tests.support.wait import until

_START_WITHIN_S = 90.0
_STOP_WITHIN_S = 40.0
_COMMAND_WITHIN_S = 60.0


@dataclass(frozen=True, slots=True)
class Done:
    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class Shell:
    """Types commands. `home` holds what they leave behind, so that no test sees another's."""

    home: Path

    @property
    def env(self) -> Mapping[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("LISTENINGPOST_")}
        return kept | {"XDG_RUNTIME_DIR": str(self.home), "XDG_DATA_HOME": str(self.home), "NO_COLOR": "1"}

    def argv(self, *arguments: str) -> list[str]:
        return [sys.executable, "-c", "from deploy.cli.main import main; main()", *arguments]

    def run(self, *arguments: str, text: str | None = None, env: Mapping[str, str] | None = None) -> Done:
        done = subprocess.run(
            self.argv(*arguments),
            input=text,
            capture_output=True,
            text=True,
            check=False,
            timeout=_COMMAND_WITHIN_S,
            cwd=self.home,
            env={**self.env, **(env or {})},
        )
        return Done(done.returncode, done.stdout, done.stderr)


@dataclass
class Running:
    """A command that goes on. `out` is what it has said so far."""

    process: asyncio.subprocess.Process
    out: str = ""

    async def says(self, words: str, *, within_s: float) -> None:
        def seen() -> bool:
            assert self.process.returncode is None or words in self.out, self.out
            return words in self.out

        await until(seen, within_s=within_s, what=f"{words!r} is said")

    async def stop(self) -> int:
        """Ctrl-C; its exit code."""
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGINT)
        async with asyncio.timeout(_STOP_WITHIN_S):
            return await self.process.wait()


@asynccontextmanager
async def going_on(shell: Shell, *arguments: str) -> AsyncIterator[Running]:
    process = await asyncio.create_subprocess_exec(
        *shell.argv(*arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=shell.home,
        env=shell.env,
    )
    running = Running(process)

    async def listen() -> None:
        assert process.stdout is not None
        while chunk := await process.stdout.read(4096):
            running.out += chunk.decode("utf-8", "replace")

    listening = asyncio.create_task(listen())
    try:
        yield running
    finally:
        await running.stop()
        await listening


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    return Shell(tmp_path_factory.mktemp("home"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def post(shell: Shell) -> AsyncIterator[Running]:
    """A Listening Post that `listeningpost up` started, and that Ctrl-C stops with exit code 0."""
    ports = [lease_port(), lease_port()]
    numbers = [str(lease.port) for lease in ports]
    async with going_on(shell, "up", "--fresh", "--port", numbers[0], "--mail-port", numbers[1]) as running:
        await running.says("Ctrl-C stops everything.", within_s=_START_WITHIN_S)
        yield running
        assert await running.stop() == 0
    for lease in ports:
        lease.release()
