"""Runs a tagger beside the event loop: one worker thread, one batch at a time, live before bulk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from shared.domain.directory import Directory
from shared.events.feedback import FeedbackReceived, Tags
from shared.telemetry.metrics import ENGINE


class Tagger(Protocol):
    """Where on the journey a piece belongs, whom it concerns and what it asks for.

    `version` is stored with every piece: equal versions and equal directories give equal tags.
    """

    @property
    def version(self) -> str: ...

    def load(self, directory: Directory | None) -> None:
        """All that `tag` needs is in memory afterwards, for `directory` too, if there is one already.

        Takes seconds. Called once, before the first `tag`.
        """
        ...

    def tag(self, events: Sequence[FeedbackReceived], directory: Directory) -> list[Tags]:
        """The tags of each event, in order; of a piece without certainty they ask for triage.

        Deterministic: no event's tags depend on its neighbours in the batch, but for the last digits of a
        score. Never raises for odd content.
        Not to be called from two threads at once.
        """
        ...


class Tagging:
    """A Component. Ready once the tagger is loaded."""

    name = "engines"

    def __init__(self, tagger: Tagger, directory: Callable[[], Directory | None]) -> None:
        self._tagger = tagger
        self._directory = directory
        self._thread: ThreadPoolExecutor | None = None

    @property
    def version(self) -> str:
        return self._tagger.version

    async def start(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="tagger")
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._thread, self._tagger.load, self._directory())
        ENGINE.labels(self.version).set(1)

    async def stop(self) -> None:
        """What is being tagged is finished first; the consumer, which waits for it, was stopped before."""
        if self._thread is not None:
            self._thread.shutdown(wait=False, cancel_futures=True)
            self._thread = None

    def problem(self) -> str | None:
        return None if self._thread is not None else "no tagger is loaded"

    async def tag(self, events: Sequence[FeedbackReceived], directory: Directory) -> list[Tags]:
        """As `Tagger.tag`. The event loop stays free meanwhile."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._tagger.tag, events, directory)
