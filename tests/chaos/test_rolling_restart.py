"""A new release comes in under load, one replica after the other, and nobody notices."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from tests.chaos.post import ENV, SERVICES, Post, running_on
from tests.chaos.traffic import Traffic
from tests.load.house import House
from tests.support.choice import Stack
from tests.support.haproxy import HaProxy, installed

pytestmark = [
    pytest.mark.soak,
    pytest.mark.timeout(600),
    pytest.mark.skipif(installed() is None, reason="there is no HAProxy here (apt-get install haproxy)"),
]

_PER_S = 25.0
_BETWEEN = 50
_DRAIN = {"LISTENINGPOST_HTTP__DRAIN_S": "2"}


@pytest_asyncio.fixture
async def post(stack: Stack) -> AsyncIterator[Post]:
    """Two replicas of each service."""
    async with running_on(House(apache=stack is Stack.APACHE_KAFKA, env=ENV | _DRAIN)) as post:
        for name in SERVICES:
            post.services[f"{name}-2"] = post.house.service(name, "-2")
        await post.start(*(f"{name}-2" for name in SERVICES))
        yield post


async def test_each_replica_is_restarted_under_load(
    post: Post, record_property: Callable[[str, object], None]
) -> None:
    async with HaProxy([post.services["ingest"].port, post.services["ingest-2"].port]) as proxy:
        traffic = Traffic(proxy.port, post.token, seed=77)
        async with traffic.flowing(_PER_S):
            for name, service in post.services.items():
                await traffic.more(_BETWEEN)
                ended = await service.stop()
                assert ended is not None
                assert ended.returncode == 0, f"{name}: {ended}"
                await traffic.more(_BETWEEN)
                service.start()
                await service.ready()
        await post.spool_drained()
        findings = await post.promises_kept(traffic)
    record_property("kept", len(traffic.kept))
    record_property("findings", findings)
    assert (traffic.refused, traffic.broken) == (0, 0), "somebody noticed"
