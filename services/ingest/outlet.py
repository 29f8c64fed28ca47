"""Pieces out to Kafka: a batch is one publish call a topic."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import Protocol

from services.ingest.domain.piece import Piece
from shared.breaker import Breaker
from shared.events.base import Event
from shared.events.hook import HookUnmapped
from shared.events.topics import UNMAPPED, Topic


class Publisher(Protocol):
    """shared.bus.Publisher, as far as it is used here."""

    async def publish(
        self,
        topic: Topic,
        events: Sequence[Event],
        *,
        within_s: float | None = None,
        traces: Sequence[str | None] | None = None,
    ) -> None: ...


class Outlet:
    """The breaker bounds the time of each attempt, once for all its topics.

    `anyway` tries although Kafka is known to be away: the spool's drain finds out that it is back.
    """

    def __init__(self, publisher: Publisher, breaker: Breaker) -> None:
        self._publisher = publisher
        self._breaker = breaker

    @property
    def away(self) -> bool:
        return self._breaker.away

    async def publish(self, pieces: Sequence[Piece], *, anyway: bool = False, extra_s: float = 0.0) -> None:
        """All of them are on every in-sync replica.

        Raises DependencyDown, and then some may be there all the same; PermanentError when one is too large.
        """
        by_topic: defaultdict[Topic, list[Piece]] = defaultdict(list)
        for piece in pieces:
            by_topic[piece.topic].append(piece)
        async with self._breaker.attempt(anyway=anyway, extra_s=extra_s):
            for topic, group in by_topic.items():
                events, traces = [piece.event for piece in group], [piece.trace for piece in group]
                await self._publisher.publish(topic, events, within_s=math.inf, traces=traces)

    async def publish_unmapped(
        self, events: Sequence[HookUnmapped], *, anyway: bool = False, extra_s: float = 0.0
    ) -> None:
        """As `publish`, for bodies that no mapping fitted."""
        async with self._breaker.attempt(anyway=anyway, extra_s=extra_s):
            traces = [event.trace for event in events]
            await self._publisher.publish(UNMAPPED, events, within_s=math.inf, traces=traces)
