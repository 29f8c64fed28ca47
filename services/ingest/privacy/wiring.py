"""The parts that see to access and erasure, and how they are put together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from services.ingest.domain.forgotten import Marks
from services.ingest.pipeline import Confidence
from services.ingest.privacy.access import Access
from services.ingest.privacy.erase import IntakeForgotten, Places
from services.ingest.privacy.repair import Repair
from services.ingest.privacy.requests import Privacy, Records
from services.ingest.privacy.retention import jobs
from services.ingest.settings import IngestSettings
from shared import clock
from shared.bus.publisher import Publisher
from shared.component import Component
from shared.domain.directory import Directory
from shared.eraser import Eraser
from shared.events.feedback import FeedbackReceived
from shared.internal import Answering
from shared.relay import Relay
from shared.retention import Retention
from shared.store.attachments import AttachmentStore
from shared.store.connection import Store
from shared.store.contributors import ContributorStore
from shared.store.deliveries import DeliveryStore
from shared.store.directory import DirectoryStore
from shared.store.erasures import ErasureFollower, ErasureStore
from shared.store.feedback import FeedbackStore
from shared.store.owners import ERASURES
from shared.store.quarantine import QuarantineStore


@dataclass(frozen=True, slots=True)
class Wired:
    """`routes` are for our own tools."""

    routes: dict[str, Answering]
    components: tuple[Component, ...]


def bars(ledger: ErasureFollower, confidence: Confidence) -> Callable[[FeedbackReceived], bool]:
    """Whether a piece brings back somebody who is forgotten, by every entry of the ledger."""
    marks = Marks(confidence.key)
    return lambda event: ledger.ledger.barred_by(event, marks) is not None


def wire(
    settings: IngestSettings,
    store: Store,
    publisher: Publisher,
    ledger: ErasureFollower,
    confidence: Confidence,
    directory: Callable[[], Directory],
) -> Wired:
    marks = Marks(confidence.key)
    contributors, quarantine = ContributorStore(store), QuarantineStore(store)
    pieces, versions = FeedbackStore(store), DirectoryStore(store)
    records = Records(ErasureStore(store), pieces, versions, settings.kafka)
    privacy = Privacy(records, marks, confidence.key, directory, clock.now)
    access = Access(pieces, DeliveryStore(store), contributors, quarantine, versions, confidence.seal, marks)
    places = Places(
        attachments=AttachmentStore(store),
        contributors=contributors,
        quarantine=quarantine,
        directory=versions,
        kafka=settings.kafka,
        publisher=publisher,
        spool=settings.ingest.spool.directory,
    )
    forgetting = IntakeForgotten(places, marks, clock.now)
    components: tuple[Component, ...] = (
        Relay(store, publisher, [ERASURES.name]),
        Eraser("ingest", store, ledger, forgetting, clock.now),
        Repair(privacy, store),
        Retention("ingest", store, jobs(settings.retention, store), clock.now),
    )
    return Wired(privacy.routes(access), components)
