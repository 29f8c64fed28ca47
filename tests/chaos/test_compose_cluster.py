"""The compose files as a cluster, on Docker: a broker, the primary, the way to a broker is lost under load.

As shipped: MongoDB with its users and key file, our own images, their settings.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from itertools import count

import pytest
import pytest_asyncio

from tests.chaos.audit import SETTLED_WITHIN_S, Books, Findings, Row, all_has_ended, judged
from tests.chaos.stopwatch import Record, Stopwatch
from tests.chaos.traffic import Traffic
from tests.support.compose_cluster import ComposeCluster, missing
from tests.support.wait import until

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.soak, pytest.mark.timeout(900)]

_PER_S = 30.0
#: Ten seconds of it.
_MORE = 300
_CAUGHT_UP_WITHIN_S = 120.0
_seeds = count(1)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def cluster(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ComposeCluster]:
    lack = await asyncio.to_thread(missing)
    if lack:
        pytest.skip(lack)
    started = ComposeCluster(tmp_path_factory.mktemp("cluster"), f"cluster-{os.getpid()}")
    try:
        await asyncio.to_thread(started.start)
        yield started
    finally:
        left = await asyncio.to_thread(started.close)
    assert left == {}


async def _a_broker_killed(cluster: ComposeCluster, _until_healed: AsyncExitStack) -> None:
    await asyncio.to_thread(cluster.kill, await cluster.leader())


async def _the_primary_killed(cluster: ComposeCluster, _until_healed: AsyncExitStack) -> None:
    await asyncio.to_thread(cluster.kill, await cluster.primary())


async def _a_broker_cut_off(cluster: ComposeCluster, until_healed: AsyncExitStack) -> None:
    until_healed.enter_context(cluster.cut_off(await cluster.leader()))


Fault = Callable[[ComposeCluster, AsyncExitStack], Awaitable[None]]


@pytest.mark.parametrize(
    "faults",
    [
        [_a_broker_killed],
        [_the_primary_killed],
        [_a_broker_killed, _the_primary_killed],
        [_a_broker_cut_off],
    ],
    ids=lambda faults: ", then".join(fault.__name__.replace("_", " ") for fault in faults).strip(),
)
async def test_nothing_is_lost_and_nobody_told_twice(
    cluster: ComposeCluster, record_property: Record, faults: list[Fault]
) -> None:
    await cluster.healed()
    traffic = Traffic(cluster.port, cluster.token, next(_seeds))
    stopwatch = Stopwatch(record_property)
    async with traffic.flowing(_PER_S), AsyncExitStack() as until_healed:
        await traffic.more(_MORE)
        for fault in faults:
            stopwatch.start()
            await fault(cluster, until_healed)
            await _goes_on(cluster, traffic)
            what = fault.__name__.replace("_", " ").strip()
            stopwatch.note(f"{what}: the next piece stored after")
            await traffic.more(_MORE)
        stopwatch.start()
        kept = set(traffic.kept)
        await until_healed.aclose()
        await cluster.healed()
        stopwatch.note("healed: all copies in sync after")
        await _stored(cluster, kept)
        stopwatch.note("healed: all that was kept until then stored after")
    await _nothing_waits(cluster)
    stopwatch.note("healed: spool empty and lag 0 after")
    assert stopwatch.elapsed_s < _CAUGHT_UP_WITHIN_S
    findings = await _promises_kept(cluster, traffic)
    record_property("kept", len(traffic.kept))
    record_property("of them by way of the spool", traffic.spooled)
    record_property("not answered, or refused, and sent again", f"{traffic.broken}, {traffic.refused}")
    record_property("in doubt, and repeated", findings)


async def _goes_on(cluster: ComposeCluster, traffic: Traffic) -> None:
    """Returns when a piece is stored that was sent after this was called."""
    before = set(traffic.kept)

    async def stored() -> bool:
        found = set((await cluster.books("ids"))["ids"])
        return bool(found & (traffic.kept.keys() - before))

    await until(stored, within_s=_CAUGHT_UP_WITHIN_S, what="a new piece is stored")


async def _stored(cluster: ComposeCluster, kept: set[str]) -> None:
    async def all_of_them() -> bool:
        left = kept - set((await cluster.books("ids"))["ids"])
        assert not left, f"{len(left)} of {len(kept)} are not"
        return True

    await until(all_of_them, within_s=_CAUGHT_UP_WITHIN_S, what="all that was kept is stored")


async def _nothing_waits(cluster: ComposeCluster) -> None:
    async def read() -> bool:
        assert await cluster.spooled() == 0
        waiting = (await cluster.books("waiting"))["waiting"]
        assert not waiting, waiting
        return True

    await until(read, within_s=_CAUGHT_UP_WITHIN_S, what="the spool is empty, and every group has read all")


async def _promises_kept(cluster: ComposeCluster, traffic: Traffic) -> Findings:
    async def ended() -> Books:
        books = await _books(cluster, traffic)
        states = Counter(row.state for row in books.rows.values())
        all_has_ended(len(traffic.kept), len(books.texts.keys() & traffic.kept.keys()), states)
        return books

    books = await until(ended, within_s=SETTLED_WITHIN_S, what="everything is stored and delivered")
    return judged(books, traffic, await cluster.received())


async def _books(cluster: ComposeCluster, traffic: Traffic) -> Books:
    found = await cluster.books("pieces", "deliveries", "letters")
    mine = [piece for piece in found["pieces"] if piece["name"].startswith(traffic.prefix)]
    rows = [row for row in found["deliveries"] if row["feedback_id"] in traffic.kept]
    return Books(
        {piece["id"]: piece["text"] for piece in mine},
        {row["_id"]: Row(row["feedback_id"], row["state"], row["urgent"]) for row in rows},
        [letter["why"] for letter in found["letters"] if letter["key"] in traffic.kept],
    )
