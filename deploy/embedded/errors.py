"""What can go wrong with the embedded stack, in sentences for whoever typed the command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.errors import ListeningPostError

if TYPE_CHECKING:
    from collections.abc import Sequence


class EmbeddedError(ListeningPostError):
    """The embedded stack cannot run; the text says why and what to do."""


class ChildDied(EmbeddedError):
    """A child process ended though nobody asked it to."""

    def __init__(self, name: str, how: str, last_lines: Sequence[str]) -> None:
        said = "".join(f"\n    {line}" for line in last_lines)
        last = "Its last lines:" + said if said else "It said nothing."
        super().__init__(f"{name} died ({how}), so everything was stopped. {last}")
        self.name = name
        self.how = how
        self.last_lines = tuple(last_lines)
