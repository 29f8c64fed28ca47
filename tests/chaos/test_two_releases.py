"""Two releases beside each other: forward replica by replica under load, back again, and nobody notices."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Self

import pytest
import pytest_asyncio

from shared.store.owners import FEEDBACK, MIGRATIONS
from shared.store.schema import SCHEMA
from tests.chaos.post import ENV, SERVICES, Post, running_on
from tests.chaos.releases import next_release, release_before
from tests.chaos.traffic import Traffic
from tests.load.house import House, Running
from tests.support.choice import Stack
from tests.support.haproxy import HaProxy, installed
from tests.support.tree import ROOT

pytestmark = [
    pytest.mark.soak,
    pytest.mark.timeout(900),
    pytest.mark.skipif(installed() is None, reason="there is no HAProxy here (apt-get install haproxy)"),
]

_PER_S = 25.0
_BETWEEN = 50
_ENV = ENV | {"LISTENINGPOST_HTTP__DRAIN_S": "2"}
Note = Callable[[str, object], None]


@pytest_asyncio.fixture
async def post(stack: Stack) -> AsyncIterator[Post]:
    """Two replicas of each service, none of them started again yet."""
    async with running_on(House(apache=stack is Stack.APACHE_KAFKA, env=_ENV)) as post:
        for name in SERVICES:
            post.services[f"{name}-2"] = post.house.service(name, "-2")
        await post.start(*(f"{name}-2" for name in SERVICES))
        yield post


async def test_this_release_and_the_next(post: Post, tmp_path: Path, record_property: Note) -> None:
    next_release(tmp_path)
    async with _Rolling(post) as rolling:
        await rolling.to(tmp_path)
        await _shaped_by_the_next(post)
        forward = len(rolling.traffic.kept)
        await rolling.to(ROOT)
    # Nothing of it was undone by the release that came back.
    await _shaped_by_the_next(post)
    pieces = post.house.store.collection(FEEDBACK.name)
    # Of both, in words that only one of them knows.
    assert await pieces.count_documents({"tags.kind": "trouble", "tags.mood": "fair"}) > 0
    assert await pieces.count_documents({"tags.kind": "problem", "tags.mood": {"$exists": False}}) > 0
    await rolling.nobody_noticed(record_property)
    record_property("kept until all were of the next", forward)


async def test_the_release_before_and_this_one(post: Post, tmp_path: Path, record_property: Note) -> None:
    name = release_before(tmp_path)
    if name is None:
        pytest.skip("there is no history of git here with an earlier release")
    async with _Rolling(post) as rolling:
        await rolling.to(tmp_path)
        await rolling.to(ROOT)
    await rolling.nobody_noticed(record_property)
    record_property("the release before", name)


class _Rolling:
    """Traffic flows during the block, while every replica is stopped and started again as another release."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self._proxy = HaProxy([post.services["ingest"].port, post.services["ingest-2"].port])

    async def __aenter__(self) -> Self:
        proxy = await self._proxy.__aenter__()
        self.traffic = Traffic(proxy.port, self._post.token, seed=91)
        self._flowing = self.traffic.flowing(_PER_S)
        await self._flowing.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        try:
            await self._flowing.__aexit__(None, None, None)
        finally:
            await self._proxy.__aexit__(None, None, None)

    async def to(self, release: Path) -> None:
        """Every replica is of this release, and ready; two are side by side meanwhile."""
        for name, service in self._post.services.items():
            await self.traffic.more(_BETWEEN)
            ended = await service.stop()
            assert ended is not None
            assert ended.returncode == 0, f"{name}: {ended}"
            await self.traffic.more(_BETWEEN)
            service.cwd = release
            service.start()
            await service.ready()
            assert _works_in(service) == release

    async def nobody_noticed(self, record_property: Note) -> None:
        await self._post.spool_drained()
        findings = await self._post.promises_kept(self.traffic)
        record_property("kept", len(self.traffic.kept))
        record_property("findings", findings)
        assert (self.traffic.refused, self.traffic.broken) == (0, 0), "somebody noticed"


def _works_in(service: Running) -> Path:
    return Path(f"/proc/{service.pid}/cwd").resolve()


async def _shaped_by_the_next(post: Post) -> None:
    """Its number, its migration and its index are there."""
    done = post.house.store.collection(MIGRATIONS.name)
    number = await done.find_one({"_id": "schema"})
    assert number is not None
    assert number["number"] == SCHEMA + 1
    assert await done.count_documents({"_id": 1}) == 1
    pieces = post.house.store.collection(FEEDBACK.name)
    assert "by_kind" in await pieces.index_information()
    assert await pieces.count_documents({"year": {"$exists": True}}) > 0
