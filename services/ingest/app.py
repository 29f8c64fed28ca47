"""The parts of ingest and how they are put together.

Starting order: the spool first, since it is what keeps the promise; the doors last. Kafka may be away, then
and later: the doors open without it. MongoDB may be away later; it knows the API keys. Neither makes ingest
unready: who is not ready is sent nothing any more, and the spool takes it all.
"""

from __future__ import annotations

from collections.abc import Sequence

from services.ingest.background import InBackground
from services.ingest.channels import Channel, open_channels
from services.ingest.channels.webhook import WebhookChannel
from services.ingest.context import ChannelContext
from services.ingest.domain.codename import keyed_id
from services.ingest.doors import doors
from services.ingest.http import create_http
from services.ingest.keep import Keeper
from services.ingest.outlet import Outlet
from services.ingest.pipeline import Confidence, Limits, Pipeline
from services.ingest.privacy.wiring import bars, wire
from services.ingest.settings import IngestSection, IngestSettings
from services.ingest.silence import Silences
from services.ingest.spool.drain import Drain
from services.ingest.spool.spool import Spool
from services.ingest.subscriptions import subscriptions
from shared import clock
from shared.breaker import Breaker
from shared.bus.consumer import Consumer
from shared.bus.lag import LagWatch
from shared.bus.publisher import Publisher
from shared.bus.subscription import BatchHandler
from shared.events.topics import RECEIVED, RECEIVED_BULK, UNMAPPED
from shared.internal import Answering, open_internal
from shared.service import Service
from shared.store.api_keys import ApiKeyFollower
from shared.store.attachments import AttachmentStore
from shared.store.connection import Store
from shared.store.contributors import ContributorSeal, ContributorStore
from shared.store.directory import DirectoryFollower
from shared.store.erasures import ErasureFollower
from shared.store.feedback import FeedbackStore
from shared.store.idempotency import IdempotencyStore
from shared.store.imports import ImportStore
from shared.store.migrations import Migrator
from shared.store.quarantine import QuarantineStore


def create_app(settings: IngestSettings) -> Service:
    """Raises ConfigurationError without a contributors key: whoever speaks in confidence must be hidden."""
    own, store = settings.ingest, Store(settings.mongo)
    publisher = Publisher(settings.kafka, source="services/ingest")
    directory, keys, erasures = DirectoryFollower(store), ApiKeyFollower(store), ErasureFollower(store)
    silences = Silences(store, clock.now)
    confidence, spool, keeper = _confidence(settings), _spool(own), _keeper(store, own)
    outlet, is_barred = _outlet(publisher, own), bars(erasures, confidence)
    pipeline = Pipeline(
        keeper=keeper,
        outlet=outlet,
        spool=spool,
        confidence=confidence,
        is_barred=is_barred,
        heard=silences.hear,
        test_tokens=settings.internal_tokens,
        limits=Limits(own.max_file_bytes, own.max_files, own.max_quarantined_bytes),
        directory=lambda: directory.directory,
    )
    channels = open_channels(_context(settings, pipeline, store, keys, directory))
    http = create_http(channels)
    consumer = Consumer(settings.kafka, subscriptions(_again(channels)), publisher, service="ingest")
    privacy = wire(settings, store, publisher, erasures, confidence, lambda: directory.directory)
    open_internal(
        http, settings.internal_tokens, _about(settings, channels, spool, silences) | privacy.routes
    )
    return Service(
        "ingest",
        settings,
        [
            spool,
            store,
            Migrator(store),
            directory,
            keys,
            erasures,
            InBackground(publisher),
            Drain(spool, keeper, outlet, is_barred),
            *channels,
            InBackground(consumer),
            silences,
            LagWatch(settings.kafka, (RECEIVED, RECEIVED_BULK, UNMAPPED), clock.now),
            *privacy.components,
        ],
        tolerates=frozenset({publisher.name, store.name, consumer.name}),
        http=http,
    )


def _context(
    settings: IngestSettings,
    pipeline: Pipeline,
    store: Store,
    keys: ApiKeyFollower,
    directory: DirectoryFollower,
) -> ChannelContext:
    return ChannelContext(
        settings=settings,
        pipeline=pipeline,
        keys=keys,
        idempotency=IdempotencyStore(store, within_s=settings.ingest.store_within_s),
        imports=ImportStore(store),
        directory=lambda: directory.directory,
        now=clock.now,
        thread=FeedbackStore(store).said_in,
    )


def _about(
    settings: IngestSettings, channels: Sequence[Channel], spool: Spool, silences: Silences
) -> dict[str, Answering]:
    return {"GET /internal/doors": doors(settings, channels, spool, silences)}


def _outlet(publisher: Publisher, own: IngestSection) -> Outlet:
    breaker = Breaker("kafka", within_s=own.publish_within_s, probe_every_s=own.probe_every_s)
    return Outlet(publisher, breaker)


def _spool(own: IngestSection) -> Spool:
    settings = own.spool
    return Spool(settings.directory, quota_bytes=settings.quota_bytes, segment_bytes=settings.segment_bytes)


def _again(channels: Sequence[Channel]) -> BatchHandler:
    """Who takes a webhook's body once more."""
    return next(channel.again for channel in channels if isinstance(channel, WebhookChannel))


def _keeper(store: Store, own: IngestSection) -> Keeper:
    breaker = Breaker("mongodb", within_s=own.store_within_s, probe_every_s=own.probe_every_s)
    return Keeper(AttachmentStore(store), ContributorStore(store), QuarantineStore(store), breaker)


def _confidence(settings: IngestSettings) -> Confidence:
    """One secret, two uses: the key that makes codenames cannot open what is sealed."""
    seal = ContributorSeal(settings.contributors_keys)
    # The oldest: with another key codenames would change, and the ledger of erasures be mute.
    secret = settings.contributors_keys()[-1].get_secret_value()
    return Confidence(key=keyed_id(secret.encode(), "purpose", "codenames").encode(), seal=seal)
