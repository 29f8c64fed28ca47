"""Nodes of a cluster die or hang under load: nothing is lost, nobody is told twice, and it catches up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from shared.bus.condition import lags
from shared.errors import DependencyDown
from shared.events.topics import RECEIVED
from shared.store.connection import guard
from shared.store.owners import FEEDBACK
from tests.chaos.cluster import ClusterPost, running_cluster
from tests.chaos.stopwatch import Record, Stopwatch
from tests.chaos.traffic import Traffic
from tests.support import network
from tests.support.server import Server
from tests.support.wait import until

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(600)]

_PER_S = 30.0
#: Ten seconds of it.
_MORE = 300
#: After everything runs again, so long may it take until nothing waits.
_CAUGHT_UP_WITHIN_S = 120.0


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shared_cluster(durable_broker: None) -> AsyncIterator[ClusterPost]:
    del durable_broker
    async with running_cluster() as post:
        yield post


@pytest_asyncio.fixture(loop_scope="session")
async def post(shared_cluster: ClusterPost) -> ClusterPost:
    """Everything runs and is ready."""
    await shared_cluster.mend()
    return shared_cluster


@pytest.mark.soak
async def test_a_broker_and_then_the_primary_killed(post: ClusterPost, record_property: Record) -> None:
    """Under 30 pieces a second; both stay dead for a while."""
    traffic, house, stopwatch = post.traffic(), post.house, Stopwatch(record_property)
    async with traffic.flowing(_PER_S):
        await traffic.more(_MORE)
        for what, victim in (
            ("a broker killed", await house.kafka.leader(RECEIVED.name)),
            ("the primary killed", await house.mongo.primary()),
        ):
            stopwatch.start()
            await victim.kill()
            await _goes_on(post, traffic)
            stopwatch.note(f"{what}: the next piece stored after")
            await traffic.more(_MORE)
        await _healed(post, traffic, stopwatch)
    await _all_is_well(post, traffic, stopwatch)


@pytest.mark.soak
@pytest.mark.parametrize("how", ["hangs", "is cut off"])
async def test_a_broker_that_does_not_answer(post: ClusterPost, record_property: Record, how: str) -> None:
    """Its connections stay open: that it is gone is seen by the clock alone."""
    if how == "is cut off" and (reason := network.missing()):
        pytest.skip(reason)
    traffic, stopwatch = post.traffic(), Stopwatch(record_property)
    victim = await post.house.kafka.leader(RECEIVED.name)
    async with traffic.flowing(_PER_S):
        await traffic.more(_MORE)
        stopwatch.start()
        with victim.cut_off() if how == "is cut off" else victim.paused():
            await _goes_on(post, traffic)
            stopwatch.note(f"a broker {how}: the next piece stored after")
            await traffic.more(_MORE)
        await _healed(post, traffic, stopwatch)
    await _all_is_well(post, traffic, stopwatch)


async def test_two_brokers_of_three_killed(post: ClusterPost, record_property: Record) -> None:
    """One copy is no promise: Kafka takes nothing any more, and the spool does."""
    traffic, stopwatch = post.traffic(), Stopwatch(record_property)
    last = await post.house.kafka.leader(RECEIVED.name)
    doomed: list[Server] = [node for node in post.house.kafka.nodes if node is not last]
    async with traffic.flowing(_PER_S):
        await traffic.more(_MORE // 3)
        await asyncio.gather(*(node.kill() for node in doomed))
        await until(lambda: traffic.spooled >= _MORE // 3, within_s=60, what="it spools")
        await _healed(post, traffic, stopwatch)
    await _all_is_well(post, traffic, stopwatch)


async def _all_is_well(post: ClusterPost, traffic: Traffic, stopwatch: Stopwatch) -> None:
    """Nothing waits any more in time after the healing, and every promise was kept."""
    await _nothing_waits(post)
    stopwatch.note("healed: spool empty and lag 0 after")
    assert stopwatch.elapsed_s < _CAUGHT_UP_WITHIN_S
    findings = await post.promises_kept(traffic)
    stopwatch.record("kept", len(traffic.kept))
    stopwatch.record("of them by way of the spool", traffic.spooled)
    stopwatch.record("in doubt, and repeated", findings)


async def _goes_on(post: ClusterPost, traffic: Traffic) -> None:
    """Returns when a piece is stored that was sent after this was called."""
    before = set(traffic.kept)

    async def stored() -> bool:
        return await _stored(post, [each for each in list(traffic.kept) if each not in before]) > 0

    await until(stored, within_s=_CAUGHT_UP_WITHIN_S, what="a new piece is stored")


async def _healed(post: ClusterPost, traffic: Traffic, stopwatch: Stopwatch) -> None:
    """All servers run, and what was kept until then is stored in time, although pieces go on coming."""
    stopwatch.start()
    kept = list(traffic.kept)
    await post.house.start_servers()
    stopwatch.note("healed: all copies in sync after")

    async def caught_up() -> bool:
        found = await _stored(post, kept)
        assert found == len(kept), f"{found} of {len(kept)}"
        return True

    await until(caught_up, within_s=_CAUGHT_UP_WITHIN_S, what="all that was kept is stored")
    stopwatch.note("healed: all that was kept until then stored after")


async def _stored(post: ClusterPost, feedback_ids: list[str]) -> int:
    """How many of them; none while nobody can be asked."""
    feedback = post.house.store.collection(FEEDBACK.name)
    try:
        with guard():
            return await feedback.count_documents({"_id": {"$in": feedback_ids}})
    except DependencyDown:
        return 0


async def _nothing_waits(post: ClusterPost) -> None:
    async def read() -> bool:
        waiting = [lag for lag in await lags(post.house.kafka_settings) if lag.behind]
        assert not waiting, waiting
        return True

    await post.spool_drained()
    await until(read, within_s=_CAUGHT_UP_WITHIN_S, what="every group has read everything")
