"""A client that has lost its metadata task gets it back, and who waited for it goes on."""

from __future__ import annotations

import asyncio

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.client import AIOKafkaClient

from shared.bus.revive import revive
from shared.settings import KafkaSettings
from tests.support.wait import until


async def test_the_task_is_begun_again_and_who_waited_goes_on(
    kafka: KafkaSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka.bootstrap_servers)
    await consumer.start()
    client: AIOKafkaClient = consumer._client

    async def cut_off(*_: object) -> bool:
        raise RuntimeError("the handler is closed")

    with monkeypatch.context() as patched:
        patched.setattr(client, "_metadata_update", cut_off)
        waiting = asyncio.ensure_future(client.force_metadata_update())
        await until(client._sync_task.done, within_s=10, what="the task has ended")
    await asyncio.sleep(0.2)
    assert not waiting.done()
    revive(client)
    assert await asyncio.wait_for(waiting, 10) is True
    task = client._sync_task
    revive(client)
    assert client._sync_task is task
    await consumer.stop()
