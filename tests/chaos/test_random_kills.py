"""Minutes of load while somebody kills at random. `-m soak`; LISTENINGPOST_TEST_SEED repeats a run."""

from __future__ import annotations

import os
import random
from collections.abc import Callable

import pytest

from tests.chaos.post import SERVICES, SLOTS, Post, running_post
from tests.support.choice import Stack

pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]

_PER_S = 25.0
_KILLS = 12
_MOST_BETWEEN = 120
_WITHIN_S = 120.0


async def test_services_and_servers_killed_at_random(
    stack: Stack, record_property: Callable[[str, object], None]
) -> None:
    """Each service some times, MongoDB once, and Kafka once where it keeps what it has."""
    seed = int(os.environ.get("LISTENINGPOST_TEST_SEED") or random.SystemRandom().randrange(1_000_000))
    record_property("seed", seed)
    chance = random.Random(seed)
    victims = [chance.choice(SERVICES) for _ in range(_KILLS)]
    victims[chance.randrange(0, _KILLS // 2)] = "mongod"
    apache = stack is Stack.APACHE_KAFKA
    if apache:
        victims[chance.randrange(_KILLS // 2, _KILLS)] = "broker"
    async with running_post(apache=apache) as post:
        traffic = post.traffic()
        async with traffic.flowing(_PER_S):
            for victim in victims:
                await traffic.more(chance.randrange(_MOST_BETWEEN), within_s=_WITHIN_S)
                await _kill(post, victim)
        await post.ready()
        await post.spool_drained()
        await post.promises_kept(traffic, in_flight=SLOTS * victims.count("notifier"))


async def _kill(post: Post, victim: str) -> None:
    """SIGKILL, and started again; not waited for: the next one may die while this one is still starting."""
    servers = {"mongod": post.house.mongo, "broker": post.house.broker}
    if victim in servers:
        await servers[victim].kill()
        await servers[victim].start()
    else:
        await post.services[victim].kill()
        post.services[victim].start()
