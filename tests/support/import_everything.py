"""A script: imports every module it is given while nothing may be read, written or reached. Prints what was.

Run by tests/unit/test_architecture.py: `python import_everything.py ROOT`, module names on standard input.
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path

_FORBIDDEN = {
    "socket.connect",
    "socket.bind",
    "socket.getaddrinfo",
    "subprocess.Popen",
    "os.system",
    "os.fork",
    "os.mkdir",
    "os.remove",
    "os.rename",
    "shutil.rmtree",
    "tempfile.mkstemp",
    "tempfile.mkdtemp",
}
_CODE = (".py", ".pyc", ".so")
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT


class Watch:
    """An audit hook (PEP 578) that notes I/O while `module` is imported: of what it imports in turn, too."""

    def __init__(self, root: Path) -> None:
        self.root = f"{root}{os.sep}"
        self.module = ""
        self.seen: list[str] = []

    def __call__(self, event: str, args: tuple[object, ...]) -> None:
        if not self.module:
            return
        if event in _FORBIDDEN:
            self.seen.append(f"{self.module}: {event}")
        elif event == "open":
            path, _, flags = args
            if isinstance(path, bytes | str) and isinstance(flags, int):
                self._opened(os.fsdecode(path), flags)

    def _opened(self, path: str, flags: int) -> None:
        # Libraries read data of theirs; and bytecode is written by the interpreter, beside the source.
        is_code = path.endswith(_CODE) or "__pycache__" in path
        ours = path.startswith(self.root) and ".venv" not in path
        if not is_code and (ours or flags & _WRITES):
            self.seen.append(f"{self.module}: opens {path}")


def main() -> None:
    watch = Watch(Path(sys.argv[1]))
    names = sys.stdin.read().split()
    sys.addaudithook(watch)
    for name in names:
        watch.module = name
        importlib.import_module(name)
    watch.module = ""
    sys.stdout.write("\n".join(watch.seen))


if __name__ == "__main__":
    main()
