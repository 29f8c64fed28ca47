"""The classifier's parts and how they are put together. Starting order: each needs those before it."""

from __future__ import annotations

from services.classifier.engines import TAGGERS
from services.classifier.erase import PiecesForgotten
from services.classifier.http import tag
from services.classifier.pipeline import Pipeline
from services.classifier.retention import jobs
from services.classifier.settings import ClassifierSettings
from services.classifier.subscriptions import subscriptions
from services.classifier.tagging import Tagging
from shared import clock
from shared.bus.consumer import Consumer
from shared.bus.lag import LagWatch
from shared.bus.publisher import Publisher
from shared.component import Component
from shared.eraser import Eraser
from shared.events.topics import CLASSIFIED
from shared.internal import open_internal
from shared.retention import Retention
from shared.service import Service
from shared.store.connection import Store
from shared.store.directory import DirectoryFollower
from shared.store.erasures import ErasureFollower, ErasureStore
from shared.store.feedback import FeedbackStore
from shared.store.migrations import Migrator


def create_app(settings: ClassifierSettings) -> Service:
    store = Store(settings.mongo)
    publisher = Publisher(settings.kafka, source="services/classifier")
    directory = DirectoryFollower(store)
    tagging = Tagging(TAGGERS[settings.classifier.engine](), lambda: directory.in_force)
    pieces, ledger, erasures = FeedbackStore(store), ErasureFollower(store), ErasureStore(store)
    pipeline = Pipeline(
        pieces,
        tagging,
        publisher,
        directory=lambda: directory.directory,
        ledger=ledger,
        erasures=erasures,
        now=clock.now,
    )
    forgotten = PiecesForgotten(pieces, erasures, publisher, clock.now)
    eraser = Eraser("classifier", store, ledger, forgotten, clock.now)
    old = Retention("classifier", store, jobs(settings.retention, pieces), clock.now)
    consumer = Consumer(
        settings.kafka, subscriptions(pipeline.handle, settings.classifier), publisher, service="classifier"
    )
    parts: list[Component] = [store, Migrator(store), directory, ledger, publisher, tagging, consumer]
    parts += [eraser, old, LagWatch(settings.kafka, (CLASSIFIED,), clock.now)]
    service = Service("classifier", settings, parts)
    routes = {"POST /internal/tag": tag(tagging, lambda: directory.directory)}
    open_internal(service.http, settings.internal_tokens, routes)
    return service
