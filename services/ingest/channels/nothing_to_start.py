"""What a door is as a component when HTTP is all there is to it."""

from __future__ import annotations


class NothingToStart:
    """A channel that is open as soon as its routes are, and never has trouble of its own."""

    async def start(self) -> None:
        """Its routes are served by the service."""

    async def stop(self) -> None:
        """The service closes them first."""

    def problem(self) -> str | None:
        return None
