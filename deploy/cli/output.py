"""What the command says and how it ends: results on stdout, the rest on stderr, exit codes with a meaning.

With `--json` stdout holds JSON and nothing else: one document, or one a line where there may be many.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import IntEnum
from typing import Annotated

import typer
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from shared.errors import ListeningPostError

_UNLIMITED_CHARS = 100_000


class ExitCode(IntEnum):
    """What scripts may rely on; explained in docs/command-line.md."""

    OK = 0
    FOUND = 1
    USAGE = 2
    UNREACHABLE = 3


class Failed(ListeningPostError):
    """The command cannot do what was asked. The text says why, `remedy` what to do."""

    def __init__(self, message: str, remedy: str = "", code: ExitCode = ExitCode.FOUND) -> None:
        super().__init__(message)
        self.remedy = remedy
        self.code = code


Json = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]


def examples(*lines: str) -> str:
    """What stands under a command's help."""
    return "\n".join(["**Examples:**", "", *(f"- `{line}`" for line in lines)])


def results() -> Console:
    """Where results go. Not highlighted: a number inside a text is not more important than the text."""
    return Console(highlight=False, soft_wrap=True)


def remarks() -> Console:
    """Where progress, hints and complaints go, so that results can be piped."""
    return Console(stderr=True, highlight=False)


def print_json(value: object, *, indent: int | None = 2) -> None:
    """`value` as JSON; dates as ISO 8601."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=indent, default=_plain) + "\n")
    sys.stdout.flush()


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], title: str | None = None) -> Table:
    """A table without lines around it; cells are shown as they are, never read as markup.

    Only the last column wraps, between words and only on a terminal: ids, positions and scopes are there to
    be copied, and a pipe has no width.
    """
    made = Table(title=title, box=None, header_style="bold", title_justify="left", pad_edge=False)
    for at, column in enumerate(columns[:-1]):
        widest = max(cell_len(text) for text in (column, *(row[at] for row in rows)))
        made.add_column(column, no_wrap=True, min_width=widest)
    made.add_column(columns[-1], overflow="fold")
    for row in rows:
        made.add_row(*(Text(cell) for cell in row))
    console, unlimited = results(), Console(width=_UNLIMITED_CHARS)
    size = unlimited.measure(made)
    made.width = min(size.maximum, max(console.width, size.minimum)) if console.is_terminal else size.maximum
    return made


def pairs(values: Mapping[str, str]) -> Table:
    """Names and values, one a line."""
    return table(("", ""), [(name, value) for name, value in values.items()])


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
