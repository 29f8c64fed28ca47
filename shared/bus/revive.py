"""Mends a client that has lost the task that keeps its metadata.

aiokafka 0.14: that task ends when a request to a connection that has just been cut raises what it does not
expect (uvloop's RuntimeError), and nobody begins it again. Who waits for metadata then waits for ever: the
group's coordinator is never found, and every commit waits for that.
"""

from __future__ import annotations

import asyncio

import structlog
from aiokafka.client import AIOKafkaClient

_log = structlog.get_logger()


def revive(client: AIOKafkaClient) -> None:
    """The task is at work again, if it had ended by an error; who waits for it goes on."""
    task: asyncio.Task[None] | None = client._sync_task  # noqa: SLF001 - it shows it nowhere else
    if task is None or not task.done() or task.cancelled():
        return
    error = task.exception()
    _log.warning("metadata_task_revived", error=type(error).__name__)
    client._sync_task = asyncio.create_task(client._md_synchronizer())  # noqa: SLF001 - see above
