"""The least a client can do with a broker: declare a topic, say something, hear it."""

from __future__ import annotations

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.structs import ConsumerRecord

Header = tuple[str, bytes]


async def declare(bootstrap: str, topic: str, *, partitions: int = 1) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, partitions, 1)])
    finally:
        await admin.close()


async def say(
    bootstrap: str, topic: str, *values: bytes, headers: list[Header] | None = None, idempotence: bool = False
) -> list[int]:
    """The offsets, acknowledged by all in-sync replicas."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=idempotence)
    await producer.start()
    try:
        sent = [await producer.send_and_wait(topic, value, headers=headers) for value in values]
    finally:
        await producer.stop()
    return [record.offset for record in sent]


async def hear(
    bootstrap: str, topic: str, count: int, *, group: str | None = None
) -> list[ConsumerRecord[bytes, bytes]]:
    """The first `count` records of the topic, or those after the group's commit; then commits for it."""
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=bootstrap,
        group_id=group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        fetch_max_wait_ms=20,
    )
    await consumer.start()
    try:
        records = [await consumer.getone() for _ in range(count)]
        if group is not None:
            await consumer.commit()
    finally:
        await consumer.stop()
    return records
