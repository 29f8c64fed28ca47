"""What the notifier forgets: what notices said of a piece, and where whoever spoke was answered.

What was sent to Slack or to a webhook is taken back by the deletion of the piece, which comes in as an event;
a mail that was delivered is in other people's hands.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from shared.domain.erasure import Erasure, Order
from shared.store.deliveries import DeliveryStore
from shared.store.owners import DELIVERIES


class NoticesForgotten:
    """Implements `shared.eraser.Forgetting`."""

    collections: Final = (DELIVERIES.name,)

    def __init__(self, ledger: DeliveryStore) -> None:
        self._ledger = ledger

    async def forget(self, entry: Erasure, order: Order) -> Mapping[str, int]:
        del entry
        return {"deliveries": await self._ledger.forget(order.pieces) if order.pieces else 0}
