"""What the classifier forgets: pieces become tombstones, and the deletion is told as any other is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

from services.classifier.domain.classified import tombstone
from services.classifier.pipeline import Publishing
from shared.domain.erasure import Erasure, Order, said_before
from shared.events.feedback import Change
from shared.events.topics import CLASSIFIED
from shared.store.erasures import ErasureStore
from shared.store.feedback import FeedbackStore
from shared.store.owners import FEEDBACK

_AT_ONCE = 500


class PiecesForgotten:
    """Implements `shared.eraser.Forgetting`."""

    collections: Final = (FEEDBACK.name,)

    def __init__(
        self,
        pieces: FeedbackStore,
        erasures: ErasureStore,
        publisher: Publishing,
        now: Callable[[], datetime],
    ) -> None:
        self._pieces = pieces
        self._erasures = erasures
        self._publisher = publisher
        self._now = now

    async def forget(self, entry: Erasure, order: Order) -> Mapping[str, int]:
        """What came in while the order was given is found by who is in it, and noted for the others."""
        ids = sorted(order.pieces | await self._pieces.of_people(order.people, order.accounts))
        gone = 0
        for start in range(0, len(ids), _AT_ONCE):
            gone += await self._bury(ids[start : start + _AT_ONCE], entry)
        return {"pieces": gone}

    async def _bury(self, ids: Sequence[str], entry: Erasure) -> int:
        """Told before it is done: a crash in between tells of it twice, never not at all."""
        found = [
            piece
            for piece in await self._pieces.get(ids)
            if piece.change is not Change.DELETED and said_before(piece, entry.asked_at)
        ]
        if not found:
            return 0
        deletions = [piece.model_copy(update={"change": Change.DELETED}) for piece in found]
        stones = [tombstone(deletion, self._now()) for deletion in deletions]
        await self._erasures.found(entry.id, [piece.feedback_id for piece in found])
        await self._publisher.publish(CLASSIFIED, stones)
        lost = await self._pieces.tombstone(stones)
        return len(stones) - len(lost)
