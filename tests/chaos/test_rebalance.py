"""Replicas come and go under load: partitions change hands, and nothing is missing."""

from __future__ import annotations

import pytest

from tests.chaos.post import SLOTS, Post

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(240)]

_PER_S = 20.0
_MORE = 40


@pytest.mark.kafka_smoke
async def test_a_second_classifier_joins_and_leaves(post: Post) -> None:
    traffic, second = post.traffic(), post.house.service("classifier", "-2")
    async with traffic.flowing(_PER_S):
        await traffic.more(_MORE)
        second.start()
        await second.ready()
        await traffic.more(_MORE)
        await second.stop()
        await traffic.more(_MORE)
    await post.promises_kept(traffic)


@pytest.mark.parametrize("service", ["notifier", pytest.param("classifier", marks=pytest.mark.soak)])
async def test_of_two_replicas_one_is_killed(post: Post, service: str) -> None:
    """The other takes over what it had."""
    traffic, second = post.traffic(), post.house.service(service, "-3")
    async with traffic.flowing(_PER_S):
        second.start()
        await second.ready()
        await traffic.more(_MORE)
        await second.kill()
        await traffic.more(_MORE)
    await post.promises_kept(traffic, in_flight=SLOTS if service == "notifier" else 0)
