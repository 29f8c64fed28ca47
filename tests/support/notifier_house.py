"""The notifier without Kafka, on a real database, with everybody it writes to on sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from pydantic import SecretStr

from services.notifier.domain.outcome import Limits
from services.notifier.pipeline import Pipeline, Rules
from services.notifier.receivers import RECEIVERS, AnyReceiver
from services.notifier.schedule import Pulse, Schedule
from services.notifier.settings import NotifierSettings
from services.notifier.stores import Followed, Stores
from services.notifier.summaries import Summaries
from shared import clock
from shared.bus.subscription import Outcome, Received
from shared.domain.delivery import Delivery, Purpose, State
from shared.domain.directory import Directory
from shared.domain.erasure import Ledger
from shared.domain.fence import NO_FENCE, Fence
from shared.events.feedback import FeedbackClassified, ReplyTo
from shared.store.buckets import BucketStore
from shared.store.connection import Document, Store
from shared.store.deliveries import DeliveryStore
from shared.store.feedback import FeedbackStore
from shared.store.leases import LeaseStore
from shared.store.owners import BUCKETS
from tests.support import company
from tests.support.slack_api import TOKEN, SlackApi
from tests.support.smtp_server import SmtpServer
from tests.support.wait import until
from tests.support.webhook_sink import SECRET, WebhookSink

ROUTE = {
    "receiver": "people",
    "routes": [
        {"match": ["channel=to-people-by-slack"], "receiver": "people-by-slack"},
        {"match": ["channel=to-room"], "receiver": "room"},
        {"match": ["channel=to-desk"], "receiver": "desk"},
        {"match": ["channel=to-hook"], "receiver": "hook"},
        {
            "match": ["channel=to-places"],
            "routes": [
                {"receiver": "room", "continue": True},
                {"receiver": "desk", "continue": True},
                {"receiver": "hook"},
            ],
        },
    ],
}


PULSE = Pulse(slots=16, lease_s=30.0, poll_s=0.1)
LIMITS = Limits(timedelta(seconds=30), first_delay_s=0.1, most_delay_s=0.5)


@dataclass
class Sealed:
    """Confidential contributors by feedback_id."""

    known: dict[str, ReplyTo] = field(default_factory=dict)

    async def open(self, feedback_id: str) -> ReplyTo | None:
        return self.known.get(feedback_id)


@dataclass
class House:
    """`pulse`, `limits` and `pause_s` may be set before `worker` is first used."""

    store: Store
    mail: SmtpServer = field(default_factory=SmtpServer)
    slack: SlackApi = field(default_factory=SlackApi)
    hook: WebhookSink = field(default_factory=WebhookSink)
    sealed: Sealed = field(default_factory=Sealed)
    pulse: Pulse = PULSE
    limits: Limits = LIMITS
    pause_s: float = 0.0
    quiet: timedelta = timedelta(seconds=0.1)
    fence: Fence = NO_FENCE

    @property
    def ledger(self) -> DeliveryStore:
        return DeliveryStore(self.store)

    @property
    def directory(self) -> Directory:
        return company.directory(
            receivers=[
                {"id": "people", "kind": "people", "via": ["email", "slack"]},
                {"id": "people-by-slack", "kind": "people", "via": ["slack", "email"]},
                {"id": "room", "kind": "slack", "address": "C0ROOM"},
                {"id": "desk", "kind": "email", "address": "desk@brightline.example"},
                {"id": "hook", "kind": "webhook", "url": f"{self.hook.url}/in", "secret": "secret:hook"},
            ],
            route=ROUTE,
        )

    def receivers(self) -> dict[str, AnyReceiver]:
        sections = {
            "email": {
                "host": "127.0.0.1",
                "port": self.mail.port,
                "sender": "Listening Post <post@brightline.example>",
                "timeout_s": 2.0,
            },
            "slack": {
                "bot_token": TOKEN,
                "api_url": self.slack.url,
                "timeout_s": 0.5,
                "pause_s": self.pause_s,
            },
            "webhook": {"allowed_networks": ["127.0.0.0/8"], "timeout_s": 0.5},
        }
        settings = NotifierSettings.model_validate(
            {"notifier": sections, "secrets": {"hook": SecretStr(SECRET)}}
        )
        return {name: receiver(settings) for name, receiver in RECEIVERS.items()}

    @asynccontextmanager
    async def replica(self, ledger: DeliveryStore | None = None) -> AsyncIterator[Replica]:
        """A notifier at work: its pipeline plans, its worker sends."""
        ledger = ledger or self.ledger
        directory, stir, receivers = self.directory, asyncio.Event(), self.receivers()
        pipeline = Pipeline(
            stores=Stores(ledger, BucketStore(self.store), FeedbackStore(self.store)),
            state=Followed(lambda: directory, Ledger, lambda: self.fence),
            receivers=receivers,
            contributors=self.sealed,
            rules=Rules(timedelta(hours=24), self.limits, self.limits, most_slow=4),
            now=clock.now,
            wake=stir.set,
        )
        worker = Schedule(pipeline, ledger, self.pulse, clock.now, stir)
        together = Summaries(pipeline, BucketStore(self.store), LeaseStore(self.store), self.quiet, clock.now)
        for receiver in receivers.values():
            await receiver.start()
        await worker.start()
        try:
            yield Replica(self, pipeline, worker, together)
        finally:
            await worker.stop()
            for receiver in receivers.values():
                await receiver.stop()

    async def stored(self, *events: FeedbackClassified) -> Sequence[FeedbackClassified]:
        """They are in the store, as the classifier leaves them."""
        assert await FeedbackStore(self.store).insert_new(events) == set()
        return events

    async def rows(self, **wanted: Any) -> list[Document]:  # noqa: ANN401 - a query
        return await self.store.collection("deliveries").find(wanted).sort("_id", 1).to_list(None)

    async def settled(self, within_s: float = 15.0) -> list[Document]:
        """All rows, once none of them is due or in flight."""

        async def done() -> list[Document]:
            rows = await self.rows()
            waiting = {row["recipient"]: row["state"] for row in rows if row["state"] in {"due", "sending"}}
            assert not waiting, waiting
            return rows

        return await until(done, within_s=within_s, what="every delivery is settled")

    async def plan(self, *events: FeedbackClassified) -> None:
        """Rows for these pieces, planned by somebody who is gone by now."""
        directory = self.directory
        pipeline = Pipeline(
            stores=Stores(self.ledger, BucketStore(self.store), FeedbackStore(self.store)),
            state=Followed(lambda: directory, Ledger, lambda: self.fence),
            receivers={},
            contributors=self.sealed,
            rules=Rules(timedelta(hours=24), self.limits, self.limits, most_slow=4),
            now=clock.now,
            wake=lambda: None,
        )
        await pipeline.tell(received(events))


@dataclass(frozen=True, slots=True)
class Replica:
    house: House
    pipeline: Pipeline
    worker: Schedule
    together: Summaries

    async def summed_up(self, *, run: int = 1, within_s: float = 15.0) -> None:
        """Looks until no bucket is open, and each was told so often."""
        buckets = self.house.store.collection(BUCKETS.name)

        async def closed() -> bool:
            await self.together.look()
            return await buckets.count_documents({"run": run + 1, "opened_at": {"$exists": False}}) > 0

        await until(closed, within_s=within_s, what=f"run {run} is told")

    async def tell(self, *events: FeedbackClassified) -> list[Outcome]:
        return await self.pipeline.tell(received(events))


@asynccontextmanager
async def a_house(store: Store, **changes: Any) -> AsyncIterator[House]:  # noqa: ANN401 - its fields
    house = House(store, **changes)
    async with house.mail, house.slack, house.hook:
        yield house


def received(events: Sequence[FeedbackClassified]) -> list[Received[FeedbackClassified]]:
    return [Received(event, (), "feedback.classified.v1", 0, offset) for offset, event in enumerate(events)]


def fresh(touchpoints: tuple[str, ...] = ("goodbye",), **fields: Any) -> FeedbackClassified:  # noqa: ANN401
    """A piece of this minute."""
    now = clock.now()
    times = {"occurred_at": now, "received_at": now, "classified_at": now}
    return company.piece(touchpoints, **(times | fields))


def a_row(number: int = 1, **fields: Any) -> Delivery:  # noqa: ANN401 - the row's own fields
    """A row that is due now, to nobody in particular."""
    now = clock.now()
    row = Delivery(
        id=f"d-{number:04d}",
        notice_id="n-1",
        feedback_id="f-1",
        purpose=Purpose.NOTICE,
        recipient=f"somebody-{number}",
        chain=(),
        due_at=now - timedelta(seconds=1),
        revision=1,
        received_at=now,
        state=State.DUE,
    )
    return replace(row, **fields)
