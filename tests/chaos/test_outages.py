"""Kafka, MongoDB or both are away for a while: what is sent meanwhile is kept, and all of it arrives.

Short here, each alone and for a minute in the soak.
"""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from deploy.embedded.readiness import is_ready
from tests.chaos.post import Post
from tests.load.house import Running
from tests.support.server import Server
from tests.support.wait import until

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(240)]

_PER_S = 20.0
_BEFORE, _DURING = 20, 60
_ANSWERED_WITHIN_S = 60.0
SOAK_S = 60.0
_OK, _UNAVAILABLE = 200, 503
_WHICH = ["kafka", "mongodb", "both"]


def _servers(post: Post, which: str) -> list[Server]:
    servers: dict[str, list[Server]] = {"kafka": [post.house.broker], "mongodb": [post.house.mongo]}
    return servers.get(which) or [post.house.broker, post.house.mongo]


async def test_both_hang(post: Post) -> None:
    await _outage(post, "both", hangs=True, least_s=0)


async def test_the_database_killed(post: Post) -> None:
    await _outage(post, "mongodb", hangs=False, least_s=0)


@pytest.mark.usefixtures("durable_broker")
@pytest.mark.parametrize("which", ["kafka", pytest.param("both", marks=pytest.mark.kafka_smoke)])
async def test_the_broker_killed(post: Post, which: str) -> None:
    await _outage(post, which, hangs=False, least_s=0)


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.parametrize("which", _WHICH)
async def test_hanging_for_a_minute(post: Post, which: str) -> None:
    await _outage(post, which, hangs=True, least_s=SOAK_S)


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.usefixtures("durable_broker")
@pytest.mark.parametrize("which", _WHICH)
async def test_killed_for_a_minute(post: Post, which: str) -> None:
    await _outage(post, which, hangs=False, least_s=SOAK_S)


async def _outage(post: Post, which: str, *, hangs: bool, least_s: float) -> None:
    """Away while at least so many pieces are sent, and until those who cannot work say so."""
    traffic, servers = post.traffic(), _servers(post, which)
    async with traffic.flowing(_PER_S):
        await traffic.more(_BEFORE)
        for server in servers:
            if hangs:
                server.pause()
            else:
                await server.kill()
        since = asyncio.get_running_loop().time()
        await traffic.more(_DURING)
        for service in post.services.values():
            await until(partial(_says_so, service, which), within_s=60, what="it is said")
        await until(
            lambda: asyncio.get_running_loop().time() - since >= least_s,
            within_s=least_s + 1,
            what="the outage is over",
        )
        for server in servers:
            if hangs:
                server.resume()
            else:
                await server.start()
    if which != "mongodb":
        assert traffic.spooled
    await post.ready()
    await post.spool_drained()
    await post.promises_kept(traffic)


async def _says_so(service: Running, which: str) -> bool:
    """`/readyz` names what is away. The doors stay open all the same; the others are not ready."""
    status, problems = await service.readiness()
    assert status == (_OK if service.name == "ingest" else _UNAVAILABLE), problems
    return problems.keys() >= ({"kafka", "mongodb"} if which == "both" else {which})


@pytest.mark.kafka_smoke
async def test_ingest_killed_while_it_spools(post: Post) -> None:
    """What was answered with 202 is on the disk by then, whatever becomes of the process."""
    traffic, ingest = post.traffic(), post.services["ingest"]
    async with traffic.flowing(_PER_S):
        await traffic.more(_BEFORE)
        post.house.broker.pause()
        await until(lambda: traffic.spooled >= _BEFORE, within_s=_ANSWERED_WITHIN_S, what="it spools")
        await ingest.kill()
        ingest.start()
        await until(lambda: is_ready(ingest.port, "/healthz"), within_s=60, what="ingest is alive again")
        post.house.broker.resume()
        await post.ready()
    await post.spool_drained()
    await post.promises_kept(traffic)
