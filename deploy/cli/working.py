"""What takes seconds says what it is about, and is not held up by looking for rubbish that is not there."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from rich.text import Text

from deploy.cli.output import remarks


@contextmanager
def working(what: str, *, quiet: bool = False) -> Iterator[None]:
    """`what` is shown on a terminal for as long as it goes on.

    Ten thousand accounts are millions of new objects, none of them rubbish: to look through all of them again
    and again took more than half of the time of reading a file.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        if quiet or not remarks().is_terminal:
            yield
        else:
            with remarks().status(Text(what)):
                yield
    finally:
        if collects:
            gc.enable()
