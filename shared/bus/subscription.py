"""What a service subscribes to, as data: topic, group, handler; and what a handler gets and answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from enum import StrEnum
from typing import Any, Generic, TypeAlias, TypeVar

from shared.bus.codec import Headers, header
from shared.events.base import Event
from shared.events.topics import Topic
from shared.value import value

AnyEvent = TypeVar("AnyEvent", bound=Event)


class Outcome(StrEnum):
    """How a message ended. Every message has exactly one."""

    DONE = "done"
    SKIPPED = "skipped"
    DEAD_LETTER = "dead_letter"


@value
class Received(Generic[AnyEvent]):
    """One decoded message and where it stood."""

    event: AnyEvent
    headers: Headers
    topic: str
    partition: int
    offset: int
    attempt: int = 1

    @property
    def trace(self) -> str | None:
        """The traceparent it came with."""
        return header(self.headers, "traceparent") or None


#: Takes a batch, answers one outcome an item in the same order, and may raise:
#: DependencyDown → the batch is given back and repeated for ever; anything else → the items are tried one by
# one. : So it must be idempotent, and catches nothing itself.
BatchHandler: TypeAlias = Callable[[Sequence[Received[Any]]], Awaitable[Sequence[Outcome]]]


@value
class Subscription:
    """`max_records` a batch; `linger_ms` is how long an idle consumer waits for the first of them."""

    topic: Topic
    group: str
    handler: BatchHandler
    max_records: int = 500
    linger_ms: int = 20
    #: Whether many dead letters stop it: they tell of a fault of ours, but for what strangers send.
    limited: bool = True
