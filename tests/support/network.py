"""A server cut off the network: its processes are a group of their own, whose packets the kernel drops."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

_WITHIN_S = 10.0


def missing() -> str | None:
    """What is needed to cut somebody off, and is not here."""
    if os.geteuid() != 0:
        return "only root may cut off a server"
    for program in ("iptables", "setpriv"):
        if shutil.which(program) is None:
            return f"to cut off a server takes {program}"
    return None


def apart(group: int) -> tuple[str, ...]:
    """What to put before a command that may be cut off."""
    return () if missing() else ("setpriv", f"--regid={group}", "--clear-groups")


@contextmanager
def cut_off(group: int, ports: Sequence[int]) -> Iterator[None]:
    """Nothing leaves the processes of the `group`, and nothing comes to their `ports`; nobody is told."""
    rules = [
        ("OUTPUT", "-m", "owner", "--gid-owner", str(group), "-j", "DROP"),
        *(("INPUT", "-p", "tcp", "--dport", str(port), "-j", "DROP") for port in ports),
    ]
    for rule in rules:
        _iptables("-I", *rule)
    try:
        yield
    finally:
        for rule in rules:
            _iptables("-D", *rule)


def _iptables(*arguments: str) -> None:
    program = shutil.which("iptables") or "iptables"
    subprocess.run([program, "-w", *arguments], check=True, timeout=_WITHIN_S, capture_output=True)
