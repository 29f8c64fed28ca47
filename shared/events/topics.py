"""Every topic: its name, key, partitions, retention, and who reads it. `listeningpost topics` makes them."""

from __future__ import annotations

from dataclasses import dataclass

from shared.events.base import Event
from shared.events.feedback import FeedbackClassified, FeedbackReceived
from shared.events.hook import HookUnmapped

DLQ_SUFFIX = ".dlq"
_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Topic:
    """`retention_days` is an upper bound set by the promise on erasure: topics keep at most 7 days."""

    name: str
    event: type[Event]
    partitions: int
    groups: tuple[str, ...]
    retention_days: int = 7

    @property
    def dead_letters(self) -> str:
        return self.name + DLQ_SUFFIX

    @property
    def config(self) -> dict[str, str]:
        return {
            "retention.ms": str(self.retention_days * _DAY_MS),
            "cleanup.policy": "delete",
            "max.message.bytes": "1048588",
        }


RECEIVED = Topic("feedback.received.v1", FeedbackReceived, 12, ("classifier",))
RECEIVED_BULK = Topic("feedback.received.bulk.v1", FeedbackReceived, 6, ("classifier-bulk",))
CLASSIFIED = Topic("feedback.classified.v1", FeedbackClassified, 12, ("notifier",))

#: Bodies of webhooks that no mapping fitted. Ingest tries them again, and what fails again is a dead letter.
UNMAPPED = Topic("hook.unmapped.v1", HookUnmapped, 3, ("ingest",))

TOPICS: tuple[Topic, ...] = (RECEIVED, RECEIVED_BULK, CLASSIFIED, UNMAPPED)
DLQ_PARTITIONS = 3


def by_name(name: str) -> Topic:
    """The topic called `name`; raises KeyError for one that is not declared."""
    return {topic.name: topic for topic in TOPICS}[name]
