"""The whole path of a batch through the classifier: received → tagged → stored → published.

Store, publish, commit, in this order, is the outbox: a crash in between brings the batch again, and what is
stored already is published again from the store, as it was tagged then.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Protocol

from services.classifier.domain.classified import Stamp, classified, tombstone
from services.classifier.domain.plan import Plan, by_piece, make_plan
from services.classifier.tagging import Tagging
from shared.bus.subscription import Outcome, Received
from shared.domain.directory import Directory
from shared.domain.revision import winner
from shared.events.base import Event
from shared.events.feedback import Cause, Change, FeedbackClassified, FeedbackReceived, Mode
from shared.events.topics import CLASSIFIED, Topic
from shared.store.erasures import ErasureFollower, ErasureStore
from shared.store.feedback import FeedbackStore
from shared.telemetry import metrics, tracing
from shared.telemetry.failpoints import failpoint

Batch = Sequence[Received[FeedbackReceived]]
Pieces = Mapping[str, Sequence[FeedbackReceived]]
#: By feedback_id: the traceparent a piece came with.
Traces = Mapping[str, str | None]
#: Smaller ones overlap better, larger ones cost the database less.
_GROUP = 250


class Publishing(Protocol):
    """Where classified events go; see `shared.bus.publisher.Publisher.publish`."""

    async def publish(
        self, topic: Topic, events: Sequence[Event], *, traces: Sequence[str | None] | None = None
    ) -> None: ...


@dataclass(slots=True)
class Settled:
    """What is to be published, in this order, and which pieces were overtaken by what was stored before."""

    publish: list[FeedbackClassified] = field(default_factory=list)
    outdated: set[str] = field(default_factory=set)


class Pipeline:
    """Handles batches. Idempotent, so it catches nothing: whatever fails is repeated as a whole."""

    def __init__(
        self,
        store: FeedbackStore,
        tagging: Tagging,
        publisher: Publishing,
        directory: Callable[[], Directory],
        ledger: ErasureFollower,
        erasures: ErasureStore,
        now: Callable[[], datetime],
    ) -> None:
        self._ledgers = ledger
        self._erasures = erasures
        self._store = store
        self._tagging = tagging
        self._publisher = publisher
        self._directory = directory
        self._now = now
        # Counted from 0: a series that begins with late pieces has not grown.
        metrics.STORED_SECONDS.labels(Mode.LIVE)

    async def handle(self, batch: Batch) -> list[Outcome]:
        """Every piece of the batch is stored and published as its newest event says.

        But for what brings back somebody who is forgotten: that is skipped.
        """
        pieces = by_piece(await self._wanted([received.event for received in batch]))
        traces = {received.event.feedback_id: received.trace for received in batch}
        outdated = await self._side_by_side(pieces, traces)
        counted = {id(winner(events)) for name, events in pieces.items() if name not in outdated}
        return [Outcome.DONE if id(received.event) in counted else Outcome.SKIPPED for received in batch]

    async def _wanted(self, events: Sequence[FeedbackReceived]) -> Sequence[FeedbackReceived]:
        """Those that do not bring back somebody who is forgotten; what the others left elsewhere goes too."""
        ledger, wanted = self._ledgers.ledger, list[FeedbackReceived]()
        for event in events:
            entry = ledger.barred_by(event)
            if entry is None:
                wanted.append(event)
            else:
                await self._erasures.found(entry.id, [event.feedback_id])
        return wanted

    async def _side_by_side(self, pieces: Pieces, traces: Traces) -> set[str]:
        """Stored and published group by group: while one waits for the database, the next is made ready.

        Returns the ids of pieces that were overtaken. Raises what the first group that failed raised, and
        only after the others have ended: nobody may still be writing when the batch is given back.
        """
        names = list(pieces)
        groups = [
            {name: pieces[name] for name in names[start : start + _GROUP]}
            for start in range(0, len(names), _GROUP)
        ]
        results = await asyncio.gather(
            *(self._store_and_publish(group, traces) for group in groups), return_exceptions=True
        )
        outdated: set[str] = set()
        for result in results:
            if isinstance(result, BaseException):
                raise result
            outdated |= result
        return outdated

    async def _store_and_publish(self, pieces: Pieces, traces: Traces) -> set[str]:
        settled = await self._settle(pieces, traces)
        failpoint("classifier.after_store")
        await self._publish(settled.publish, traces)
        failpoint("classifier.after_publish")
        return settled.outdated

    async def _settle(self, pieces: Pieces, traces: Traces) -> Settled:
        """All of it is stored afterwards."""
        settled = Settled()
        # Live pieces come once, nearly all of them, and then there is nothing of them to look at.
        looked_for = [name for name, events in pieces.items() if not _is_first(events)]
        while pieces:
            plan = make_plan(pieces, await self._store.heads(looked_for) if looked_for else {})
            settled.outdated |= plan.outdated
            if plan.again:
                settled.publish += await self._store.get(plan.again)
            with tracing.phase("classify", partial(_of, pieces, traces)):
                fresh = await self._classify(plan)
            failpoint("classifier.before_store")
            with tracing.phase("store", partial(_of, pieces, traces)):
                lost = await self._write(plan, fresh)
            settled.publish += [piece for piece in fresh if piece.feedback_id not in lost]
            # Stored before, or by somebody else between our look and our write (a rebalance): look.
            pieces = {name: pieces[name] for name in lost}
            looked_for = list(pieces)
        return settled

    async def _classify(self, plan: Plan) -> list[FeedbackClassified]:
        """New and newer pieces with tags, deletions as tombstones, in this order."""
        now = self._now()
        buried = [tombstone(event, now) for event in plan.deletions]
        events = [*plan.new, *plan.newer]
        if not events:
            return buried
        directory = self._directory()
        tags = await self._tagging.tag(events, directory)
        stamp = Stamp(self._tagging.version, directory.version, self._now())
        causes = [Cause.RECEIVED] * len(plan.new) + [Cause.EDITED] * len(plan.newer)
        return [*map(classified, events, causes, tags, [stamp] * len(events)), *buried]

    async def _write(self, plan: Plan, fresh: Sequence[FeedbackClassified]) -> set[str]:
        """The ids of those that were not written because the store had moved on."""
        first, second = len(plan.new), len(plan.new) + len(plan.newer)
        lost: set[str] = set()
        if plan.new:
            lost |= await self._store.insert_new(fresh[:first])
        if plan.newer:
            lost |= await self._store.replace_if_newer(fresh[first:second])
        if plan.deletions:
            lost |= await self._store.tombstone(fresh[second:])
        if plan.same_content:
            lost |= await self._store.advance(plan.same_content)
        return lost

    async def _publish(self, results: Sequence[FeedbackClassified], traces: Traces) -> None:
        if not results:
            return
        await self._publisher.publish(
            CLASSIFIED, results, traces=[traces[piece.feedback_id] for piece in results]
        )
        now, modes = self._now(), {piece.mode for piece in results}
        took = {mode: metrics.STORED_SECONDS.labels(mode) for mode in modes}
        for piece in results:
            took[piece.mode].observe((now - piece.received_at).total_seconds())
        alike = Counter((piece.cause, piece.tags.needs_triage) for piece in results)
        for (cause, triage), count in alike.items():
            metrics.CLASSIFIED.labels(cause, triage).inc(count)


def _of(pieces: Pieces, traces: Traces) -> list[str | None]:
    return [traces[name] for name in pieces]


def _is_first(events: Sequence[FeedbackReceived]) -> bool:
    """Whether nothing of the piece is stored, as far as one can tell without a look.

    An import may have been there before, and to tag all of it for nothing takes longer than to look.
    """
    return len(events) == 1 and events[0].change is Change.CREATED and events[0].mode is Mode.LIVE
