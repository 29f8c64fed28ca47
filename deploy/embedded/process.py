"""One run of a command, from start to end. Linux only.

Bound to no event loop: two small threads per run read its output and wait for its end. So its pipe is emptied
even while a loop is blocked, and a process started in one loop can be stopped from another.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deploy.embedded.output import LineSink

_DIE_WITH_PARENT = Path(__file__).with_name("die_with_parent.py")
_KEPT_LINES = 20
_MAX_LINE_BYTES = 64 * 1024
# A grandchild that left the group may hold the pipe open; the child's own words are in it long before.
_LAST_WORDS_S = 1.0
_SIGNAL_NAMES = {number.value: number.name for number in signal.Signals}


@dataclass(frozen=True, slots=True)
class Command:
    """`env` is the whole environment of the child (None: that of this process)."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] | None = None
    cwd: Path | None = None
    grace_s: float = 10.0


@dataclass(frozen=True, slots=True)
class Exit:
    """How it ended: `returncode` is negative for a signal, as in `subprocess`."""

    returncode: int

    def __str__(self) -> str:
        if self.returncode >= 0:
            return f"exit code {self.returncode}"
        return f"killed by {_SIGNAL_NAMES.get(-self.returncode, f'signal {-self.returncode}')}"


class Life:
    """`ended` is set once it is reaped and its last line was read."""

    def __init__(self, command: Command, on_line: LineSink) -> None:
        self.stop_asked = False
        self.last_lines: deque[str] = deque(maxlen=_KEPT_LINES)
        self.ended: Future[Exit] = Future()
        # Marked as running, so that who gives up waiting for it does not cancel it for the others.
        self.ended.set_running_or_notify_cancel()
        self._name = command.name
        self._on_line = on_line
        self._reaped = False
        self._lock = threading.Lock()
        self.process = _spawn(command)
        reader = threading.Thread(target=self._read, name=f"{self._name}-output", daemon=True)
        reader.start()
        threading.Thread(
            target=self._await_end, args=(reader,), name=f"{self._name}-end", daemon=True
        ).start()

    def send(self, number: signal.Signals) -> None:
        with self._lock:
            if not self._reaped:
                os.kill(self.process.pid, number)

    def send_to_group(self, number: signal.Signals) -> None:
        with self._lock:
            if not self._reaped:
                os.killpg(self.process.pid, number)

    def _read(self) -> None:
        output = self.process.stdout
        if output is None:
            return
        with output:
            while line := output.readline(_MAX_LINE_BYTES):
                text = line.decode("utf-8", errors="replace").rstrip("\r\n")
                self.last_lines.append(text)
                self._on_line(self._name, text)

    def _await_end(self, reader: threading.Thread) -> None:
        pid = self.process.pid
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        with self._lock:
            # What it started goes with it. Until it is reaped its group id cannot be anybody else's.
            os.killpg(pid, signal.SIGKILL)
            self._reaped = True
            returncode = self.process.wait()
        reader.join(_LAST_WORDS_S)
        self.ended.set_result(Exit(returncode))


def _spawn(command: Command) -> subprocess.Popen[bytes]:
    """In a group of its own: Ctrl-C in the terminal reaches the parent alone, which stops all in order."""
    return subprocess.Popen(
        [sys.executable, "-I", "-S", str(_DIE_WITH_PARENT), str(os.getpid()), *command.argv],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=command.env,
        cwd=command.cwd,
        process_group=0,
    )
