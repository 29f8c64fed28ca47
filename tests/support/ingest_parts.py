"""The parts around the pipeline, in memory: what was kept and published, and a switch for each outage."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from cryptography.fernet import Fernet
from pydantic import SecretStr

from services.ingest.domain.piece import Piece
from services.ingest.keep import Keeper
from services.ingest.outlet import Outlet
from services.ingest.pipeline import Confidence, Limits, Pipeline
from services.ingest.spool.drain import Drain
from services.ingest.spool.spool import Spool
from shared.breaker import Breaker
from shared.domain.quarantine import Quarantined
from shared.errors import DependencyDown, PermanentError, Reason
from shared.events.base import Event
from shared.events.feedback import Change, FeedbackReceived
from shared.events.hook import HookUnmapped
from shared.events.topics import Topic
from shared.store.contributors import ContributorSeal
from tests.support.submissions import DIRECTORY, RECEIVED_AT

_KEY = SecretStr(Fernet.generate_key().decode())
SEAL = ContributorSeal(lambda: [_KEY])
MB = 1_048_576
LIMITS = Limits(max_file_bytes=MB, max_files=3, max_quarantined_bytes=1_000)


class Kafka:
    """Stands where the publisher stands."""

    def __init__(self) -> None:
        self.away = False
        self.max_chars = 10_000_000
        self.calls: list[tuple[str, int]] = []
        self.events: list[FeedbackReceived] = []
        self.unmapped: list[HookUnmapped] = []
        self.traces: list[str | None] = []

    async def publish(
        self,
        topic: Topic,
        events: Sequence[Event],
        *,
        within_s: float | None = None,
        traces: Sequence[str | None] | None = None,
    ) -> None:
        self.calls.append((topic.name, len(events)))
        if self.away:
            raise DependencyDown("kafka")
        self.unmapped += [event for event in events if isinstance(event, HookUnmapped)]
        received = [event for event in events if isinstance(event, FeedbackReceived)]
        if any(len(event.text) > self.max_chars for event in received):
            raise PermanentError(Reason.TOO_LARGE, "over the limit")
        self.events += received
        self.traces += traces or []

    @property
    def texts(self) -> list[str]:
        return [event.text for event in self.events]


class Memory(Keeper):
    """Stands where MongoDB's part is kept."""

    def __init__(self) -> None:
        self.away = False
        self.unkeepable: set[bytes] = set()
        self.files: dict[str, bytes] = {}
        self.sealed: dict[str, bytes] = {}
        self.deleted: list[str] = []
        self.forgotten: list[str] = []
        self.aside: list[Quarantined] = []

    async def keep(self, piece: Piece, *, anyway: bool = False) -> None:
        self._answer()
        if any(each.content in self.unkeepable for each in piece.kept):
            raise PermanentError(Reason.REJECTED, "the store does not like it")
        if piece.event.change is Change.DELETED:
            self.deleted.append(piece.event.feedback_id)
        self.files |= {each.attachment.sha256: each.content for each in piece.kept}
        if piece.sealed is not None:
            self.sealed[piece.event.feedback_id] = piece.sealed

    async def forget(self, feedback_id: str) -> None:
        self._answer()
        self.forgotten.append(feedback_id)

    async def put_aside(self, entries: Sequence[Quarantined], *, anyway: bool = False) -> None:
        self._answer()
        self.aside += entries

    async def confidential(self, feedback_ids: Sequence[str]) -> set[str]:
        self._answer()
        return self.sealed.keys() & set(feedback_ids)

    def _answer(self) -> None:
        if self.away:
            raise DependencyDown("mongodb")


class Parts:
    """A pipeline and its surroundings."""

    def __init__(self, directory: Path, *, quota_bytes: int, limits: Limits) -> None:
        self.kafka = Kafka()
        self.memory = Memory()
        #: Texts of those who are forgotten.
        self.barred: set[str] = set()
        #: Channel and source of each batch that was taken.
        self.heard: list[tuple[str, str]] = []
        self.spool = Spool(directory, quota_bytes=quota_bytes, segment_bytes=MB)
        self.outlet = Outlet(self.kafka, Breaker("kafka", within_s=2, probe_every_s=60))
        self.pipeline = Pipeline(
            keeper=self.memory,
            outlet=self.outlet,
            spool=self.spool,
            confidence=Confidence(b"key", SEAL),
            limits=limits,
            directory=lambda: DIRECTORY,
            is_barred=self._is_barred,
            heard=lambda channel, source: self.heard.append((channel, source)),
            now=lambda: RECEIVED_AT,
        )
        self.drain = Drain(self.spool, self.memory, self.outlet, self._is_barred)

    def _is_barred(self, event: FeedbackReceived) -> bool:
        return event.text in self.barred


@asynccontextmanager
async def parts(
    directory: Path, *, quota_bytes: int = 50 * MB, limits: Limits = LIMITS
) -> AsyncIterator[Parts]:
    """Everything but the drain is started."""
    made = Parts(directory, quota_bytes=quota_bytes, limits=limits)
    await made.spool.start()
    try:
        yield made
    finally:
        await made.drain.stop()
        await made.spool.stop()
