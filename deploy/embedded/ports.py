"""Loopback ports that stay ours between being chosen and being bound.

Asking the kernel for port 0 and closing the socket again is a race twice over: another process may be given
the same port, and, since such ports come from the range used for outgoing connections, a client that keeps
dialling a server which is just restarting may be given the server's own port and be connected to itself. So
ports are taken from below that range, and a lock file keeps our own processes apart.
"""

from __future__ import annotations

import fcntl
import os
import random
import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path

from deploy.embedded.errors import EmbeddedError

LOOPBACK = "127.0.0.1"
_LOWEST = 20_000
_EPHEMERAL_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_EPHEMERAL_START = 32_768


@dataclass(frozen=True, slots=True)
class PortLease:
    """`port` is nobody else's among our processes until `release()` or the end of this process."""

    port: int
    lock_fd: int

    def release(self) -> None:
        os.close(self.lock_fd)


def lease_port() -> PortLease:
    """A loopback port on which nobody listens, at random. Raises EmbeddedError when none is left."""
    candidates = list(range(_LOWEST, _first_ephemeral_port()))
    random.SystemRandom().shuffle(candidates)
    for port in candidates:
        lock_fd = _lock(port)
        if lock_fd is None:
            continue
        if _is_free(port):
            return PortLease(port, lock_fd)
        os.close(lock_fd)
    raise EmbeddedError(f"No free port between {_LOWEST} and {_first_ephemeral_port() - 1} on {LOOPBACK}.")


def _first_ephemeral_port() -> int:
    try:
        start = int(_EPHEMERAL_RANGE.read_text(encoding="ascii").split()[0])
    except OSError:
        return _EPHEMERAL_START
    # A machine tuned for many outgoing connections may leave nothing below; then the lock files must do.
    return start if start > _LOWEST + 1_000 else _EPHEMERAL_START


def _lock(port: int) -> int | None:
    directory = Path(tempfile.gettempdir()) / f"listeningpost-ports-{os.getuid()}"
    directory.mkdir(mode=0o700, exist_ok=True)
    # The file is left behind: unlinking it would let a second process lock a new file of the same name.
    lock_fd = os.open(directory / f"{port}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock_fd)
        return None
    return lock_fd


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
