"""Something on the topic that nobody can read: it is put aside, and costs no neighbour."""

from __future__ import annotations

import pytest

from shared.bus.publisher import Publisher
from shared.errors import Reason
from shared.events.topics import CLASSIFIED, RECEIVED, Topic
from tests.chaos.audit import dead_letters
from tests.chaos.post import Post

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(240)]


@pytest.mark.parametrize("topic", [RECEIVED, CLASSIFIED], ids=["classifier", "notifier"])
async def test_a_record_that_cannot_be_read_costs_no_neighbour(post: Post, topic: Topic) -> None:
    traffic, key = post.traffic(), f"poison for {topic.name}"
    async with traffic.flowing(per_s=20):
        await traffic.more(10)
        await _publish(post, topic, key)
        await traffic.more(20)

    await post.promises_kept(traffic)
    (letter,) = await dead_letters(post.house, {key})
    assert letter.reason == Reason.MALFORMED
    assert letter.origin_topic == topic.name


async def _publish(post: Post, topic: Topic, key: str) -> None:
    publisher = Publisher(post.house.kafka_settings, source="tests")
    await publisher.start()
    try:
        await publisher.publish_raw(topic.name, [(key.encode(), b'{"feedback_id": ', [])])
    finally:
        await publisher.stop()
