"""What the house made of the pieces: read where it publishes and stores, never asked from its insides."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from deploy.demo.doors.answer import Answer
from deploy.demo.pieces import Act, Outcome, Piece
from shared.bus.tail import follow
from shared.domain.delivery import Delivery, State
from shared.events.feedback import Cause, FeedbackClassified
from shared.events.topics import CLASSIFIED
from shared.settings import KafkaSettings
from shared.store.buckets import BucketStore
from shared.store.deliveries import DeliveryStore

_UNDER_WAY = frozenset({State.DUE, State.SENDING})
_CAUSES = {Outcome.EDITED: Cause.EDITED, Outcome.DELETED: Cause.DELETED}
_RECOGNISED_BY_CHARS = 22


@dataclass
class Sent:
    """A piece and what its door said; `feedback_id` once it is known which document came of it."""

    piece: Piece
    answer: Answer
    feedback_id: str | None = None


@dataclass
class Watch:
    """`events` has the classified events of each piece as they came; `handled` counts those handled."""

    deliveries: DeliveryStore
    handled: Callable[[], Awaitable[int]]
    buckets: BucketStore
    sent: list[Sent] = field(default_factory=list)
    events: dict[str, list[FeedbackClassified]] = field(default_factory=dict)

    @asynccontextmanager
    async def reading(self, kafka: KafkaSettings) -> AsyncIterator[Watch]:
        """Reads `feedback.classified.v1` while the block runs. An error there ends the block."""
        task = asyncio.create_task(self._read(kafka), name="watch")
        try:
            yield self
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def add(self, piece: Piece, answer: Answer) -> Sent:
        """Note what was sent. A second item beside a refused one has its receipt first."""
        sent = Sent(piece, answer, answer.feedback_ids[0] if answer.feedback_ids else None)
        self.sent.append(sent)
        self._recognise()
        return sent

    def of(self, piece_id: str) -> Sent | None:
        return next((sent for sent in self.sent if sent.piece.id == piece_id), None)

    def last(self, sent: Sent) -> FeedbackClassified | None:
        """What it is classified as now; None before it is."""
        events = self.events.get(sent.feedback_id or "", [])
        return events[-1] if events else None

    def has(self, sent: Sent, cause: Cause) -> bool:
        return any(event.cause is cause for event in self.events.get(sent.feedback_id or "", []))

    async def rows(self, sents: Iterable[Sent]) -> dict[str, list[Delivery]]:
        """Their deliveries, by feedback_id."""
        return await self.deliveries.of_pieces([sent.feedback_id for sent in sents if sent.feedback_id])

    async def summaries(self) -> list[Delivery]:
        """What was told of many pieces at once: rows that are of no piece."""
        return (await self.deliveries.of_pieces([""])).get("", [])

    async def waiting(self, sents: Sequence[Sent]) -> list[str]:
        """What is not over yet, in words: pieces without tags, events nobody read, deliveries under way."""
        untagged = [sent.piece.id for sent in sents if sent.piece.is_new and self.last(sent) is None]
        if untagged:
            return [f"{len(untagged)} pieces to be tagged ({', '.join(untagged[:3])})"]
        changes = [change for sent in sents if (change := self._missing_change(sent))]
        if changes:
            return changes
        # Only then are all deliveries planned: what the notifier has not read yet has no rows.
        handled, published = await self.handled(), sum(map(len, self.events.values()))
        if handled < published:
            return [f"{published - handled} events to be read by the notifier"]
        rows = await self.rows(sents)
        under_way = sum(row.state in _UNDER_WAY for of_piece in rows.values() for row in of_piece)
        if under_way:
            return [f"{under_way} deliveries"]
        return [] if sents is not self.sent else await self._missing_summary()

    async def _missing_summary(self) -> list[str]:
        """An import is told once it was quiet for a while."""
        if await self.buckets.open():
            return ["what was brought along to be summed up"]
        unsent = sum(row.state in _UNDER_WAY for row in await self.summaries())
        return [f"{unsent} summaries"] if unsent else []

    def _missing_change(self, sent: Sent) -> str | None:
        cause = _CAUSES.get(sent.piece.outcome)
        original = self.of(sent.piece.of or "")
        if cause is None or original is None or self.has(original, cause):
            return None
        return f"{original.piece.id} to be {cause}"

    async def _read(self, kafka: KafkaSettings) -> None:
        async for received in follow(kafka, CLASSIFIED, from_start=True):
            event = received.event
            if isinstance(event, FeedbackClassified):
                self.events.setdefault(event.feedback_id, []).append(event)
                self._recognise()

    def _recognise(self) -> None:
        """Which piece a document is of, where the door gave no receipt: by its first words, as one would."""
        known = {sent.feedback_id for sent in self.sent}
        for name, events in self.events.items():
            if name not in known:
                found = next((sent for sent in self._waiting() if _is_of(events[0], sent.piece)), None)
                if found is not None:
                    found.feedback_id = name

    def _waiting(self) -> list[Sent]:
        return [sent for sent in self.sent if sent.feedback_id is None and sent.piece.is_new]


def _is_of(event: FeedbackClassified, piece: Piece) -> bool:
    if event.channel != piece.door.value:
        return False
    said = _letters(event.text)
    if not said:
        return not piece.text
    begins = _letters(piece.text.replace("#confidential", "")).startswith(said[:_RECOGNISED_BY_CHARS])
    return begins and piece.act is not Act.REPEAT


def _letters(text: str) -> str:
    """Without what a channel may change: line breaks, spaces, punctuation, case."""
    return "".join(char for char in text.casefold() if char.isalnum())
