"""Watches where pieces of our own arrive: in Kafka as received, in Kafka as classified."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from deploy.cli.settings import CliSettings
from shared.bus.tail import follow
from shared.events.feedback import FeedbackReceived
from shared.events.topics import CLASSIFIED, RECEIVED, Topic
from shared.settings import KafkaSettings


@dataclass(frozen=True, slots=True)
class Arrived:
    """`at` is the event loop's time when it was seen here."""

    event: FeedbackReceived
    position: str
    at: float


@dataclass
class Arrivals:
    """By what `name_of` calls a piece, what was seen of it in each topic, the first time."""

    received: dict[str, Arrived] = field(default_factory=dict)
    classified: dict[str, Arrived] = field(default_factory=dict)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def until(self, reached: Callable[[], bool], within_s: float) -> bool:
        """Whether it was `reached` in time."""
        try:
            async with asyncio.timeout(within_s):
                while not reached():
                    self.changed.clear()
                    await self.changed.wait()
        except TimeoutError:
            return False
        return True


@asynccontextmanager
async def arrivals(
    where: CliSettings, name_of: Callable[[FeedbackReceived], str | None], *, received: bool = True
) -> AsyncIterator[Arrivals]:
    """Nothing that comes from now on is missed. Raises DependencyDown when Kafka is, or goes, away."""
    seen = Arrivals()
    topics: list[tuple[Topic, dict[str, Arrived]]] = [(CLASSIFIED, seen.classified)]
    if received:
        topics.append((RECEIVED, seen.received))
    ready = [asyncio.Event() for _ in topics]
    watching = [
        asyncio.create_task(_watch(where.kafka, topic, found, seen.changed, name_of, begun.set))
        for (topic, found), begun in zip(topics, ready, strict=True)
    ]
    try:
        for begun, task in zip(ready, watching, strict=True):
            await _begun(begun, task)
        yield seen
    finally:
        for task in watching:
            task.cancel()
        await asyncio.gather(*watching, return_exceptions=True)


async def _begun(begun: asyncio.Event, watching: asyncio.Task[None]) -> None:
    """Raises what the watch ended with, where it ended before it began."""
    waiting = asyncio.create_task(begun.wait())
    await asyncio.wait({waiting, watching}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if watching.done():
        watching.result()


async def _watch(
    kafka: KafkaSettings,
    topic: Topic,
    found: dict[str, Arrived],
    changed: asyncio.Event,
    name_of: Callable[[FeedbackReceived], str | None],
    on_ready: Callable[[], None],
) -> None:
    loop = asyncio.get_running_loop()
    async for seen in follow(kafka, topic, on_ready=on_ready):
        event = seen.event
        name = name_of(event) if isinstance(event, FeedbackReceived) else None
        if name is not None and isinstance(event, FeedbackReceived):
            position = f"{topic.name}/{seen.partition}/{seen.offset}"
            found.setdefault(name, Arrived(event, position, loop.time()))
            changed.set()
