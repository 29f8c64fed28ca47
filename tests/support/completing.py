"""What the shells ask the command when somebody presses Tab, as typer's scripts for them do."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence

_SCRIPT = "from deploy.cli.main import main; main([])"


def completed(shell: str, words: Sequence[str], env: Mapping[str, str] | None = None) -> list[str]:
    """The values offered for the last of `words`, which may be empty; without what is shown beside them."""
    line = " ".join(words)
    asked = {
        "bash": {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)},
        "zsh": {"_TYPER_COMPLETE_ARGS": line},
        "fish": {"_TYPER_COMPLETE_ARGS": line, "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
    }[shell]
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **(env or {}), **asked, "_LISTENINGPOST_COMPLETE": f"complete_{shell}"},
    )
    assert done.stderr == "", done.stderr
    return [_value(shell, line) for line in done.stdout.splitlines() if line.strip()]


def _value(shell: str, line: str) -> str:
    if shell == "zsh":
        return line.removeprefix("_arguments '*: :((").removesuffix("))'").split(":")[0].strip('"')
    return line.partition("\t")[0]
