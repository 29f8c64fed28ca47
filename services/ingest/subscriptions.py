"""What ingest reads: bodies of webhooks that no mapping fitted, put back once it was mended."""

from __future__ import annotations

from shared.bus.subscription import BatchHandler, Subscription
from shared.events.topics import UNMAPPED

GROUP = "ingest"


def subscriptions(again: BatchHandler) -> list[Subscription]:
    """Not limited: a stranger's bodies that fit nothing must not stop what fits."""
    return [Subscription(UNMAPPED, GROUP, again, max_records=50, linger_ms=200, limited=False)]
