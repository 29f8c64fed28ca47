"""All of ingest as `python -m services.ingest` wires it, listening on sockets, on this run's servers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from cryptography.fernet import Fernet

from services.ingest.app import create_app
from services.ingest.channels.mail import MailChannel
from services.ingest.settings import IngestSettings
from shared import clock
from shared.bus.codec import decode
from shared.bus.tail import read_all
from shared.events.feedback import FeedbackReceived
from shared.events.topics import RECEIVED
from shared.service import Service
from shared.settings import KafkaSettings, MongoSettings
from shared.store.connection import Store
from shared.store.directory import DirectoryStore
from tests.support.doors import HOOK_SECRET
from tests.support.served import served
from tests.support.submissions import WORKSPACE
from tests.support.wait import until

_KEY = Fernet.generate_key().decode()
_WITHIN_S = 30.0
INTERNAL_TOKEN = "the-token-of-this-house"


class Ingest:
    """`http` speaks to it over a socket; `mail_port` is 0 where no mail is taken."""

    def __init__(self, service: Service, url: str, kafka: KafkaSettings) -> None:
        self._kafka = kafka
        self.http = httpx.AsyncClient(base_url=url, timeout=20)
        self.mail_port = next((c.port for c in service.components if isinstance(c, MailChannel)), 0)

    async def events(self, topic: str = RECEIVED.name) -> list[FeedbackReceived]:
        return [decode(FeedbackReceived, record.value) async for record in read_all(self._kafka, topic)]


@asynccontextmanager
async def ingest(
    kafka: KafkaSettings,
    mongo: MongoSettings,
    store: Store,
    directory: Path,
    **sections: Any,  # noqa: ANN401
) -> AsyncIterator[Ingest]:
    """`sections` of the settings of ingest."""
    directories = DirectoryStore(store)
    if await directories.current() is None:
        await directories.propose(WORKSPACE, "tests", expected=0, now=clock.now())
    own = {"spool": {"directory": str(directory)}, **sections}
    settings = IngestSettings.model_validate(
        {
            "kafka": kafka,
            "mongo": mongo,
            "contributors_key": _KEY,
            "internal_token": INTERNAL_TOKEN,
            "secrets": {"survey_hook": HOOK_SECRET},
            "ingest": own,
        }
    )
    service = create_app(settings)
    async with served(service) as url:
        running = Ingest(service, url, kafka)
        async with running.http:
            # Its doors open before it has reached Kafka; what came in by then would be in the spool.
            await until(
                lambda: not [problem for part in service.components if (problem := part.problem())],
                within_s=_WITHIN_S,
                what="it has reached everything",
            )
            yield running
