"""What a channel is given, and all it may reach: never Kafka, never MongoDB."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from services.ingest.domain.receipt import Receipt
from services.ingest.domain.submission import Submission
from services.ingest.settings import IngestSettings
from shared.domain.directory import Directory
from shared.domain.quarantine import QuarantineReason
from shared.events.hook import HookUnmapped
from shared.store.idempotency import IdempotencyStore
from shared.store.imports import ImportStore

if TYPE_CHECKING:
    from shared.store.api_keys import ApiKeyFollower


class Intake(Protocol):
    """The pipeline, as a channel sees it."""

    async def accept(self, submissions: Sequence[Submission]) -> list[Receipt]:
        """Every submission has its receipt, in order; `accepted` and `spooled` both mean kept: say so.

        One that is invalid is `rejected` and harms no neighbour. Raises DependencyDown when neither Kafka nor
        the spool can take them: answer 503 or SMTP 451 with Retry-After, and the sender repeats all of them.
        Hand over a whole request at once: a batch costs little more than one.
        """
        ...

    async def quarantine(
        self, raw: bytes, channel: str, reason: QuarantineReason, detail: str, *, source: str = ""
    ) -> str:
        """What came in but is no feedback (auto-reply, bounce), or cannot be read, is kept aside and listed.

        `detail` is one sentence without feedback text or addresses. Returns its id. Raises as `accept` does.
        """
        ...

    async def hold(self, event: HookUnmapped) -> None:
        """A body that no mapping fitted is kept, and tried again; in the end it is a dead letter.

        Raises as `accept` does.
        """
        ...


@dataclass(frozen=True, slots=True)
class ChannelContext:
    """`directory` returns the newest one, `now` the present in UTC.

    `thread` has the external ids of what was said in a thread, by (channel, source, thread_id), as far as it
    is classified; without what was deleted. Raises DependencyDown.
    """

    settings: IngestSettings
    pipeline: Intake
    keys: ApiKeyFollower
    idempotency: IdempotencyStore
    imports: ImportStore
    directory: Callable[[], Directory]
    now: Callable[[], datetime]
    thread: Callable[[str, str, str], Awaitable[list[str]]]
