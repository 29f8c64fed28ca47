"""Wires the notifier: every part is made here and given to those that need it."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from services.notifier.domain.outcome import Limits
from services.notifier.erase import NoticesForgotten
from services.notifier.pipeline import Pipeline, Rules
from services.notifier.receivers import RECEIVERS, AnyReceiver
from services.notifier.recorder import announce
from services.notifier.retention import jobs
from services.notifier.schedule import Pulse, Schedule
from services.notifier.sealed import SealedContributors
from services.notifier.settings import NotifierSection, NotifierSettings
from services.notifier.stores import Followed, Stores
from services.notifier.subscriptions import subscriptions
from services.notifier.summaries import Summaries
from shared import clock
from shared.bus.consumer import Consumer
from shared.bus.publisher import Publisher
from shared.component import Component
from shared.eraser import Eraser
from shared.retention import Retention
from shared.service import Service
from shared.store.buckets import BucketStore
from shared.store.connection import Store
from shared.store.deliveries import DeliveryStore
from shared.store.directory import DirectoryFollower
from shared.store.disk import StoreDisk
from shared.store.erasures import ErasureFollower
from shared.store.feedback import FeedbackStore
from shared.store.fence import FenceFollower
from shared.store.leases import LeaseStore
from shared.store.migrations import Migrator


class _Started:
    """A receiver as a Component."""

    def __init__(self, receiver: AnyReceiver) -> None:
        self.name = receiver.name
        self._receiver = receiver

    async def start(self) -> None:
        await self._receiver.start()

    async def stop(self) -> None:
        await self._receiver.stop()

    def problem(self) -> str | None:
        """None: a receiver that is away makes deliveries wait, which the metrics tell, not the service."""
        return None


def create_app(settings: NotifierSettings) -> Service:
    """Raises ConfigurationError for settings that cannot work."""
    store = Store(settings.mongo)
    publisher = Publisher(settings.kafka, "services/notifier")
    followed, erasures, fences = DirectoryFollower(store), ErasureFollower(store), FenceFollower(store)
    ledger = DeliveryStore(store)
    receivers = {name: receiver(settings) for name, receiver in RECEIVERS.items()}
    announce(receivers)
    buckets = BucketStore(store)
    stir = asyncio.Event()
    pipeline = Pipeline(
        stores=Stores(ledger, buckets, FeedbackStore(store)),
        state=Followed(lambda: followed.directory, lambda: erasures.ledger, lambda: fences.snapshot),
        receivers=receivers,
        contributors=SealedContributors(store, settings.contributors_keys),
        rules=_rules(settings.notifier),
        now=clock.now,
        wake=stir.set,
    )
    pulse = Pulse(settings.notifier.slots, settings.notifier.lease_s, settings.notifier.poll_s)
    schedule = Schedule(pipeline, ledger, pulse, clock.now, stir)
    quiet = timedelta(seconds=settings.notifier.summary_quiet_s)
    told_together = Summaries(pipeline, buckets, LeaseStore(store), quiet, clock.now)
    consumer = Consumer(settings.kafka, subscriptions(pipeline), publisher, "notifier")
    components: list[Component] = [
        store,
        Migrator(store),
        followed,
        erasures,
        fences,
        publisher,
        *(_Started(receiver) for receiver in receivers.values()),
        schedule,
        told_together,
        consumer,
        Eraser("notifier", store, erasures, NoticesForgotten(ledger), clock.now),
        Retention("notifier", store, jobs(settings.retention, ledger), clock.now),
        StoreDisk(store),
    ]
    return Service("notifier", settings, components)


def _rules(section: NotifierSection) -> Rules:
    return Rules(
        max_age=timedelta(hours=section.max_age_h),
        normal=Limits(retry_for=timedelta(seconds=section.retry_for_s)),
        urgent=Limits(retry_for=timedelta(seconds=section.retry_urgent_for_s)),
        most_slow=max(1, section.slots // 4),
    )
