"""SIGKILL exactly before and after each step that counts, then a restart: nothing lost, nothing twice.

Urgent notices may come twice under one id, others may end as `unknown`, both only as far as in flight.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Mapping

import pytest

from tests.chaos.post import SLOTS, Post

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]

_PIECES = 60
#: Service → where, and at which pass: not the first, so that some work is behind it when it dies.
_INGEST = ("before_publish:3", "after_publish:3")
_CLASSIFIER = ("before_store:2", "after_store:2", "after_publish:2")
_NOTIFIER = ("after_plan:2", "before_send:20", "after_send:20", "after_record:3")
#: All nine of them in four rounds, because restarts take longer than all the rest.
_ROUNDS = [
    pytest.param({"ingest": _INGEST[0], "classifier": _CLASSIFIER[0], "notifier": _NOTIFIER[0]}, id="first"),
    pytest.param(
        {"ingest": _INGEST[1], "classifier": _CLASSIFIER[1], "notifier": _NOTIFIER[2]},
        id="second",
        marks=pytest.mark.kafka_smoke,
    ),
    pytest.param({"classifier": _CLASSIFIER[2], "notifier": _NOTIFIER[1]}, id="third"),
    pytest.param({"notifier": _NOTIFIER[3]}, id="fourth"),
]
_ALONE = [
    (service, point)
    for service, points in (("ingest", _INGEST), ("classifier", _CLASSIFIER), ("notifier", _NOTIFIER))
    for point in points
]


@pytest.mark.parametrize("points", _ROUNDS)
async def test_services_killed_at_these_points_break_no_promise(
    post: Post, points: Mapping[str, str]
) -> None:
    await _killed_at(post, points)


@pytest.mark.soak
@pytest.mark.parametrize(("service", "point"), _ALONE)
async def test_a_service_killed_at_this_point_breaks_no_promise(post: Post, service: str, point: str) -> None:
    await _killed_at(post, {service: point})


async def _killed_at(post: Post, points: Mapping[str, str]) -> None:
    traffic = post.traffic()
    await asyncio.gather(*(_arm(post, service, point) for service, point in points.items()))
    async with asyncio.TaskGroup() as group:
        group.create_task(traffic.send(_PIECES))
        for service in points:
            group.create_task(_dies_and_comes_back(post, service))
    await post.promises_kept(traffic, in_flight=SLOTS if "notifier" in points else 0)


async def _arm(post: Post, service: str, point: str) -> None:
    victim = post.services[service]
    await victim.stop()
    victim.start(LISTENINGPOST_FAILPOINT=f"{service}.{point}")
    await victim.ready()


async def _dies_and_comes_back(post: Post, service: str) -> None:
    ended = await post.services[service].ended()
    assert ended.returncode == -signal.SIGKILL
    await post.start(service)
