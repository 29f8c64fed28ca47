"""What a service is made of: parts that start, stop, and say whether they work."""

from __future__ import annotations

from typing import Protocol


class Component(Protocol):
    """A part of a running service.

    `start` returns when the part works, and raises DependencyDown when what it needs is away (it is then
    tried again).
    `stop` takes nothing new, finishes what is in hand, and returns; it may be called after a failed start.
    `problem` is None while the part works, else one line for `/readyz`.
    """

    @property
    def name(self) -> str: ...

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    def problem(self) -> str | None: ...
