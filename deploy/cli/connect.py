"""The parts of a service a command borrows for a moment: the database, the publisher."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shared.bus.publisher import Publisher
from shared.settings import CommonSettings
from shared.store.connection import Store


@asynccontextmanager
async def store(settings: CommonSettings) -> AsyncIterator[Store]:
    """Raises DependencyDown when MongoDB does not answer."""
    opened = Store(settings.mongo)
    try:
        await opened.start()
        yield opened
    finally:
        await opened.stop()


@asynccontextmanager
async def publisher(settings: CommonSettings) -> AsyncIterator[Publisher]:
    """Raises DependencyDown when Kafka does not answer."""
    opened = Publisher(settings.kafka, source="deploy/cli")
    try:
        await opened.start()
        yield opened
    finally:
        await opened.stop()
