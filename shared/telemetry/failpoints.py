"""Named points at which a crash test kills the process, exactly there and for real.

`LISTENINGPOST_FAILPOINT=classifier.after_store:3` sends SIGKILL to the own process at the third pass.
Without the variable a point costs one comparison.
"""

from __future__ import annotations

import os
import signal

_name, _, _count = os.environ.get("LISTENINGPOST_FAILPOINT", "").partition(":")
_passes_left = int(_count or 1)


def failpoint(name: str) -> None:
    """Die here, if this is the chosen point and the chosen pass."""
    global _passes_left  # noqa: PLW0603 - a process has one death, so one counter
    if name != _name:
        return
    _passes_left -= 1
    if _passes_left <= 0:
        os.kill(os.getpid(), signal.SIGKILL)
