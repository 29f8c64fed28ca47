"""A script between parent and child: has the child killed when the parent dies, then becomes the child.

`python -I -S die_with_parent.py PARENT_PID PROGRAM ARGUMENT...`. A parent that is killed with SIGKILL cannot
tidy up, so the kernel does (PR_SET_PDEATHSIG, see prctl(2)). A script and not `preexec_fn`, which is unsafe
in a process with threads; hence it needs nothing but the standard library.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
_CANNOT_EXECUTE = 127


def main() -> None:
    parent_pid, command = int(sys.argv[1]), sys.argv[2:]
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        sys.exit(f"prctl: {os.strerror(ctypes.get_errno())}")
    if os.getppid() != parent_pid:
        # It died before the line above: nobody is left who could stop us later.
        sys.exit("the parent is gone")
    # The interpreter ignores these two, and what is ignored stays ignored across exec.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    try:
        os.execvp(command[0], command)  # noqa: S606
    except OSError as error:
        sys.stderr.write(f"cannot start {command[0]}: {error.strerror}\n")
        sys.exit(_CANNOT_EXECUTE)


if __name__ == "__main__":
    main()
