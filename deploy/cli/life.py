"""Gathers the whole life of a piece: what is stored of it, its events, its dead letters, its deliveries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from deploy.cli.letters import Choice, chosen
from deploy.cli.settings import CliSettings
from shared.bus.codec import decode
from shared.bus.dead_letters import DeadLetter
from shared.bus.tail import read_all
from shared.domain.directory import Directory
from shared.errors import DependencyDown, InvalidInput
from shared.events.base import Event
from shared.events.feedback import FeedbackClassified
from shared.events.topics import TOPICS, Topic
from shared.store.connection import Store
from shared.store.deliveries import DeliveryStore
from shared.store.delivery_documents import History
from shared.store.directory import DirectoryStore
from shared.store.feedback import FeedbackStore


@dataclass(frozen=True, slots=True)
class Seen:
    """An event where it lies; `event` is None for one that cannot be read. `at` is when Kafka took it."""

    topic: str
    partition: int
    offset: int
    at: datetime
    event: Event | None

    @property
    def position(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"


@dataclass(frozen=True, slots=True)
class Life:
    """`piece` is None for one that is not stored (yet). `notes` say what could not be looked at."""

    feedback_id: str
    piece: FeedbackClassified | None
    seen: tuple[Seen, ...]
    letters: tuple[DeadLetter, ...]
    deliveries: tuple[History, ...]
    directory: Directory | None
    notes: tuple[str, ...]

    @property
    def is_known(self) -> bool:
        return bool(self.piece or self.seen or self.letters or self.deliveries)


async def gather(
    where: CliSettings, store: Store, feedback_id: str, looking: Callable[[str], None] = lambda _: None
) -> Life:
    """All there is of `feedback_id`; `looking` is told where. Raises DependencyDown without MongoDB.

    Without Kafka what is stored is told all the same.
    """
    looking("the store")
    stored = await FeedbackStore(store).get([feedback_id])
    deliveries = await DeliveryStore(store).history(feedback_id)
    current = await DirectoryStore(store).in_force()
    notes: list[str] = []
    seen: list[Seen] = []
    letters: list[DeadLetter] = []
    try:
        for topic in TOPICS:
            looking(topic.name)
            seen += await _seen(where, topic, feedback_id)
        looking("dead letters")
        found = await chosen(where.kafka, Choice(replayed=True))
        letters += [letter for letter in found if letter.key == feedback_id]
    except DependencyDown as error:
        notes.append(f"its events and dead letters were not looked at: {error}")
    return Life(
        feedback_id,
        stored[0] if stored else None,
        tuple(sorted(seen, key=lambda one: (one.at, one.topic != TOPICS[0].name))),
        tuple(letters),
        tuple(deliveries),
        Directory(current.workspace, current.number) if current else None,
        tuple(notes),
    )


async def _seen(where: CliSettings, topic: Topic, feedback_id: str) -> list[Seen]:
    found = []
    async for record in read_all(where.kafka, topic.name, key=feedback_id):
        at = datetime.fromtimestamp(record.timestamp / 1000, UTC)
        try:
            event: Event | None = decode(topic.event, record.value)
        except InvalidInput:
            event = None
        found.append(Seen(topic.name, record.partition, record.offset, at, event))
    return found
