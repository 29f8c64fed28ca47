"""Apache Kafka from its jars behaves as the tests that lean on it expect."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.support import kafka_probe
from tests.support.apache_kafka import ApacheKafka
from tests.support.kafka_jars import KAFKA_VERSION, why_unavailable

pytestmark = [
    pytest.mark.kafka_smoke,
    pytest.mark.skipif(why_unavailable() is not None, reason=str(why_unavailable())),
]


@pytest.fixture
async def kafka() -> AsyncIterator[ApacheKafka]:
    async with ApacheKafka() as server:
        yield server


async def test_an_acknowledged_record_survives_kill_and_restart_on_the_same_port(kafka: ApacheKafka) -> None:
    assert kafka.version == KAFKA_VERSION
    await kafka_probe.declare(kafka.bootstrap, "pieces")
    headers = [("ce_type", b"test")]
    await kafka_probe.say(kafka.bootstrap, "pieces", b"1", headers=headers, idempotence=True)
    await kafka.kill()
    await kafka.start()
    assert await kafka_probe.say(kafka.bootstrap, "pieces", b"2", idempotence=True) == [1]
    await kafka.stop()
    await kafka.start()
    records = await kafka_probe.hear(kafka.bootstrap, "pieces", 2)
    assert [record.value for record in records] == [b"1", b"2"]
    assert list(records[0].headers) == headers


async def test_a_group_goes_on_after_its_commit_when_the_broker_was_killed(kafka: ApacheKafka) -> None:
    await kafka_probe.declare(kafka.bootstrap, "pieces")
    await kafka_probe.say(kafka.bootstrap, "pieces", b"1", b"2")
    await kafka_probe.hear(kafka.bootstrap, "pieces", 1, group="readers")
    await kafka.kill()
    await kafka.start()
    (record,) = await kafka_probe.hear(kafka.bootstrap, "pieces", 1, group="readers")
    assert record.value == b"2"


async def test_a_paused_broker_acknowledges_when_it_goes_on(kafka: ApacheKafka) -> None:
    await kafka_probe.declare(kafka.bootstrap, "pieces")
    kafka.pause()
    saying = asyncio.create_task(kafka_probe.say(kafka.bootstrap, "pieces", b"1"))
    done, _ = await asyncio.wait({saying}, timeout=0.5)
    assert not done
    kafka.resume()
    assert await saying == [0]
