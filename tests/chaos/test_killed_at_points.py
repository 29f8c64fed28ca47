"""SIGKILL exactly before and after each step that counts, then a restart: nothing lost, nothing twice.

Urgent notices may come twice under one id, others may end as `unknown`, both only as far as in flight.
"""

from __future__ import annotations

import asyncio
import signal

import pytest

from tests.chaos.post import SLOTS, Post

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(240)]

_PIECES = 60
#: A point, and at which pass of it the process dies: not the first, so that some work is behind it.
_POINTS = [
    pytest.param("ingest", "before_publish:3", marks=pytest.mark.kafka_smoke),
    ("ingest", "after_publish:3"),
    ("classifier", "before_store:2"),
    pytest.param("classifier", "after_store:2", marks=pytest.mark.kafka_smoke),
    ("classifier", "after_publish:2"),
    ("notifier", "after_plan:2"),
    ("notifier", "before_send:20"),
    pytest.param("notifier", "after_send:20", marks=pytest.mark.kafka_smoke),
    ("notifier", "after_record:3"),
]


@pytest.mark.parametrize(("service", "point"), _POINTS)
async def test_a_service_killed_at_this_point_breaks_no_promise(post: Post, service: str, point: str) -> None:
    victim, traffic = post.services[service], post.traffic()
    await victim.stop()
    victim.start(LISTENINGPOST_FAILPOINT=f"{service}.{point}")
    await victim.ready()

    async with asyncio.TaskGroup() as group:
        group.create_task(traffic.send(_PIECES))
        ended = await victim.ended()
        await post.start(service)

    assert ended.returncode == -signal.SIGKILL
    await post.promises_kept(traffic, in_flight=SLOTS if service == "notifier" else 0)
