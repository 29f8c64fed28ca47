"""What a process has cost: processor time and memory, as the kernel counts them (proc(5))."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_KIB = 1024


@dataclass(frozen=True, slots=True)
class Usage:
    """`cpu_s` since its start, user and system, all threads; `peak_bytes` is the highest resident size."""

    cpu_s: float
    rss_bytes: int
    peak_bytes: int


def usage(pid: int) -> Usage:
    """Raises OSError when the process is gone."""
    directory = Path("/proc", str(pid))
    # The name of the program stands in brackets and may hold anything: what follows the last one counts.
    fields = (directory / "stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    status = dict(
        line.split(":", 1) for line in (directory / "status").read_text(encoding="utf-8").splitlines()
    )
    ticks = int(fields[11]) + int(fields[12])
    return Usage(ticks / _TICKS_PER_S, _bytes(status["VmRSS"]), _bytes(status["VmHWM"]))


def machine_cpu_s() -> tuple[float, float]:
    """(time all processors worked, time they could have), since the machine started."""
    first = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:9]
    ticks = [int(field) for field in first]
    idle = ticks[3] + ticks[4]
    return (sum(ticks) - idle) / _TICKS_PER_S, sum(ticks) / _TICKS_PER_S


def _bytes(kib: str) -> int:
    return int(kib.split(maxsplit=1)[0]) * _KIB
