"""Every topic: its name, key, partitions, retention, and who reads it. `listeningpost topics` makes them."""

from __future__ import annotations

from dataclasses import dataclass

from shared.events.base import Event
from shared.events.erasure import ContributorErased
from shared.events.feedback import FeedbackClassified, FeedbackReceived
from shared.events.hook import HookUnmapped

DLQ_SUFFIX = ".dlq"
_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Topic:
    """`retention_days` is an upper bound set by the promise on erasure: what is of people, at most 7 days.

    None is for ever, for what is of nobody.
    """

    name: str
    event: type[Event]
    partitions: int
    groups: tuple[str, ...]
    retention_days: int | None = 7

    @property
    def dead_letters(self) -> str:
        return self.name + DLQ_SUFFIX

    @property
    def retention_ms(self) -> int:
        """-1 is for ever, as Kafka says it."""
        return self.retention_days * _DAY_MS if self.retention_days is not None else -1

    @property
    def config(self) -> dict[str, str]:
        return {
            "retention.ms": str(self.retention_ms),
            "cleanup.policy": "delete",
            "max.message.bytes": "1048588",
        }


RECEIVED = Topic("feedback.received.v1", FeedbackReceived, 12, ("classifier",))
RECEIVED_BULK = Topic("feedback.received.bulk.v1", FeedbackReceived, 6, ("classifier-bulk",))
CLASSIFIED = Topic("feedback.classified.v1", FeedbackClassified, 12, ("notifier",))

#: Bodies of webhooks that no mapping fitted. Ingest tries them again, and what fails again is a dead letter.
UNMAPPED = Topic("hook.unmapped.v1", HookUnmapped, 3, ("ingest",))

#: Read by no group: services follow the ledger in the store, and this puts it back after a restored backup.
ERASED = Topic("contributor.erased.v1", ContributorErased, 3, (), retention_days=None)

TOPICS: tuple[Topic, ...] = (RECEIVED, RECEIVED_BULK, CLASSIFIED, UNMAPPED, ERASED)
#: What becomes of these is in the store, and comes out the same when they are read again.
REBUILDING: tuple[Topic, ...] = (RECEIVED, RECEIVED_BULK, CLASSIFIED)
DLQ_PARTITIONS = 3


def by_name(name: str) -> Topic:
    """The topic called `name`; raises KeyError for one that is not declared."""
    return {topic.name: topic for topic in TOPICS}[name]
