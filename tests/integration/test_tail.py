"""Whoever follows a topic learns that the broker has gone."""

from __future__ import annotations

import asyncio

import pytest

from deploy.embedded.stack import EmbeddedStack
from shared.bus.admin import ensure_topics
from shared.bus.tail import follow
from shared.errors import DependencyDown
from shared.events.topics import CLASSIFIED
from shared.settings import KafkaSettings

_WITHIN_S = 30


@pytest.mark.timeout(120)
async def test_a_quiet_topic_is_no_reason_to_stay_silent_when_the_broker_goes() -> None:
    ready = asyncio.Event()
    async with EmbeddedStack(mongo="mongodb://unused.example") as stack:
        kafka = KafkaSettings(bootstrap_servers=stack.kafka_bootstrap, idempotence=False)
        await ensure_topics(kafka)

        async def watch() -> None:
            async for _ in follow(kafka, CLASSIFIED, on_ready=ready.set):
                pytest.fail("nothing was sent")

        watching = asyncio.create_task(watch())
        await asyncio.wait_for(ready.wait(), _WITHIN_S)
        await stack.children["broker"].kill()
        with pytest.raises(DependencyDown, match="kafka"):
            await asyncio.wait_for(watching, _WITHIN_S)


async def test_nobody_is_told_to_wait_for_a_broker_that_is_not_there() -> None:
    told: list[str] = []
    kafka = KafkaSettings(bootstrap_servers="127.0.0.1:1", idempotence=False)
    with pytest.raises(DependencyDown, match="kafka"):
        await anext(follow(kafka, CLASSIFIED, on_ready=lambda: told.append("waiting")))
    assert not told
