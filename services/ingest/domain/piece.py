"""A piece that is ready: the event, and what must be kept beside it before the event may be published."""

from __future__ import annotations

from services.ingest.domain.attach import Kept
from shared.events.feedback import Change, FeedbackReceived, Mode
from shared.events.topics import RECEIVED, RECEIVED_BULK, Topic
from shared.value import value

_LIVE = (Mode.LIVE, Mode.TEST)


@value
class Piece:
    """`sealed` is the encrypted contributor of a confidential piece; `trace` the traceparent it came with."""

    event: FeedbackReceived
    kept: tuple[Kept, ...] = ()
    sealed: bytes | None = None
    trace: str | None = None

    @property
    def topic(self) -> Topic:
        """Imports and backfills have a topic of their own: ten thousand of them delay nothing live."""
        return RECEIVED if self.event.mode in _LIVE else RECEIVED_BULK

    @property
    def needs_store(self) -> bool:
        """MongoDB must take its part before the event is published; after a deletion it gives up a part."""
        return bool(self.kept) or self.sealed is not None or self.event.change is Change.DELETED

    @property
    def size_bytes(self) -> int:
        """Of the attachments: they decide how long keeping it may take."""
        return sum(len(each.content) for each in self.kept)
