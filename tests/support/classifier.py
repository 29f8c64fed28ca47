"""The classifier's pipeline on a real store, with a tagger and a publisher a test can look into."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from services.classifier.pipeline import Pipeline
from services.classifier.tagging import Tagging
from shared import clock
from shared.bus.subscription import Outcome, Received
from shared.domain.directory import Directory
from shared.errors import DependencyDown
from shared.events.base import Event
from shared.events.feedback import FeedbackClassified, FeedbackReceived, Polarity, Tags, TouchpointTag
from shared.events.topics import CLASSIFIED, RECEIVED, Topic
from shared.store.connection import Store
from shared.store.erasures import ErasureFollower, ErasureStore
from shared.store.feedback import FeedbackStore
from tests.support.company import directory


class LengthTagger:
    """Tags that are a function of the text, and a list of what was tagged."""

    version = "length/1"

    def __init__(self) -> None:
        self.tagged: list[str] = []

    def load(self, directory: Directory | None) -> None:
        """Nothing to load."""

    def tag(self, events: Sequence[FeedbackReceived], directory: Directory) -> list[Tags]:
        self.tagged += [event.text for event in events]
        return [self._tags(event.text) for event in events]

    def _tags(self, text: str) -> Tags:
        score = len(text) % 10 / 10
        return Tags(
            touchpoints=(TouchpointTag(id="ordering", score=score),),
            polarity=Polarity.CHANGE if len(text) % 2 else Polarity.KEEP,
            needs_triage=score < 0.5,
        )


class Published:
    """A publisher that keeps what it is given; with `down` it is away, as often as it says."""

    def __init__(self) -> None:
        self.pieces: list[FeedbackClassified] = []
        self.traces: list[str | None] = []
        self.down = 0

    async def publish(
        self, topic: Topic, events: Sequence[Event], *, traces: Sequence[str | None] | None = None
    ) -> None:
        assert topic is CLASSIFIED
        if self.down:
            self.down -= 1
            raise DependencyDown("kafka")
        for event in events:
            assert isinstance(event, FeedbackClassified)
            self.pieces.append(event)
        self.traces += traces or []

    def causes(self, feedback_id: str) -> list[str]:
        return [piece.cause.value for piece in self.pieces if piece.feedback_id == feedback_id]


class Classifier:
    """`async with Classifier(store) as classifier:` then `handle` batches of events."""

    def __init__(self, store: Store) -> None:
        self.tagger = LengthTagger()
        self.published = Published()
        self.store = FeedbackStore(store)
        self._directory = directory()
        self._tagging = Tagging(self.tagger, lambda: self._directory)
        self.ledger = ErasureFollower(store)
        self._pipeline = Pipeline(
            self.store,
            self._tagging,
            self.published,
            lambda: self._directory,
            self.ledger,
            ErasureStore(store),
            clock.now,
        )

    async def __aenter__(self) -> Self:
        await self._tagging.start()
        await self.ledger.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.ledger.stop()
        await self._tagging.stop()

    async def handle(self, *events: FeedbackReceived, trace: str = "") -> list[Outcome]:
        headers = [("traceparent", trace.encode())] if trace else []
        batch = [Received(event, headers, RECEIVED.name, 0, number) for number, event in enumerate(events)]
        return await self._pipeline.handle(batch)
