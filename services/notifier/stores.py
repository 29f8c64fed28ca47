"""The collections the notifier works on, and what it reads of several of them together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from services.notifier.domain.summarise import Gathered
from shared.domain.bucket import Bucket
from shared.domain.directory import Directory
from shared.domain.erasure import Ledger
from shared.domain.fence import Fence
from shared.events.feedback import Mode
from shared.store.buckets import BucketStore
from shared.store.deliveries import DeliveryStore
from shared.store.feedback import FeedbackStore

_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Followed:
    """State of others, as it is at the moment of the call."""

    directory: Callable[[], Directory]
    erased: Callable[[], Ledger]
    fence: Callable[[], Fence]


@dataclass(frozen=True, slots=True)
class Stores:
    """`pieces` is only read: it is the classifier's."""

    ledger: DeliveryStore
    buckets: BucketStore
    pieces: FeedbackStore

    async def gathered(self, held: Bucket) -> Gathered:
        """What the run that is held comes to, and some of it to quote. Raises DependencyDown."""
        told = await self._told(held) if Mode.LIVE in held.modes else set()
        groups = await self.pieces.groups(held, told)
        samples = await self.pieces.samples(held, told) if groups else []
        return Gathered(tuple(groups), tuple(samples))

    async def _told(self, held: Bucket) -> set[str]:
        """Live pieces that are old by now and were not when they came: they were told one by one."""
        live = await self.pieces.live_of(held)
        told: set[str] = set()
        for start in range(0, len(live), _AT_ONCE):
            told |= await self.ledger.told_of(live[start : start + _AT_ONCE])
        return told
