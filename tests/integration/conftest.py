"""What an integration test starts from: settings that reach this run's servers, and room of its own there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from pydantic import SecretStr

from shared.bus.admin import ensure_topics
from shared.bus.publisher import Publisher
from shared.settings import KafkaSettings, MongoSettings
from shared.store.connection import Store
from shared.store.migrations import Migrator
from tests.support.cli import Cli
from tests.support.importer import Importer, importing

if TYPE_CHECKING:
    from tests.support.session import KafkaAddress, MongoAddress


@pytest_asyncio.fixture
async def kafka(kafka_server: KafkaAddress, topic_prefix: str) -> KafkaSettings:
    """Settings with topics of this test's own, made."""
    settings = KafkaSettings(
        bootstrap_servers=kafka_server.bootstrap,
        idempotence=kafka_server.idempotence,
        delete_records=kafka_server.idempotence,
        topic_prefix=topic_prefix,
        # Apache Kafka grants no less than 6 s; on the embedded broker a test has to wait until it runs out.
        session_timeout_ms=6_000 if kafka_server.idempotence else 2_000,
    )
    await ensure_topics(settings)
    return settings


@pytest_asyncio.fixture
async def publisher(kafka: KafkaSettings) -> AsyncIterator[Publisher]:
    publisher = Publisher(kafka, "tests")
    await publisher.start()
    yield publisher
    await publisher.stop()


@pytest.fixture
def mongo(mongo_server: MongoAddress, database_name: str) -> MongoSettings:
    return MongoSettings(uri=SecretStr(mongo_server.uri), database=database_name)


@pytest_asyncio.fixture
async def store(mongo: MongoSettings) -> AsyncIterator[Store]:
    """A migrated database of this test's own, dropped afterwards."""
    store = Store(mongo)
    await store.start()
    await Migrator(store).start()
    yield store
    await store.db.client.drop_database(mongo.database)
    await store.stop()


@pytest_asyncio.fixture
async def importer(
    kafka: KafkaSettings, mongo: MongoSettings, store: Store, tmp_path: Path
) -> AsyncIterator[Importer]:
    async with importing(kafka, mongo, store, tmp_path) as importer:
        yield importer


@pytest.fixture
def cli(mongo: MongoSettings, tmp_path: Path) -> Iterator[Cli]:
    """The command, in this process, on a database of this test's own."""
    yield Cli(mongo, tmp_path)

    async def drop(store: Store) -> None:
        await store.db.client.drop_database(mongo.database)

    asyncio.run(Cli(mongo, tmp_path).with_store(drop))
