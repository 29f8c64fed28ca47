"""A script: the smallest service there can be, for the tests of `shared/service.py`.

Its argument is a plan in JSON: {"components": [...], "tolerates": [...], "stop_within_s": 10}. A component
is {"name": ...} with any of: "needs" (a file without which Kafka counts as away), "trouble" (a file that is a
problem while it exists), "start" and "stop" ("misconfigured", "broken", "endless"), "stops_in_s".
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from pathlib import Path
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from shared import service
from shared.errors import ConfigurationError, DependencyDown
from shared.settings import CommonSettings

_log = structlog.get_logger()


class Part:
    """A component that does what its plan says."""

    def __init__(self, plan: dict[str, Any], port: int) -> None:
        self.name: str = plan["name"]
        self._needed = Path(plan["needs"]) if "needs" in plan else None
        self._plan = plan
        self._port = port

    async def start(self) -> None:
        if self._needed is not None and not self._needed.exists():
            raise DependencyDown("kafka", "the file is not there")
        await self._misbehave(self._plan.get("start"))
        _log.info("part_started", part=self.name)

    async def stop(self) -> None:
        await asyncio.sleep(self._plan.get("stops_in_s", 0))
        await self._misbehave(self._plan.get("stop"))
        _log.info("part_stopped", part=self.name, door_open=self._door_is_open())

    def problem(self) -> str | None:
        trouble = self._plan.get("trouble")
        return "there is trouble" if trouble and Path(trouble).exists() else None

    async def _misbehave(self, how: str | None) -> None:
        if how == "misconfigured":
            raise ConfigurationError("LISTENINGPOST_PUBLIC_URL is not set")
        if how == "broken":
            raise ValueError("s3cret")
        if how == "endless":
            await asyncio.Event().wait()

    def _door_is_open(self) -> bool:
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex(("127.0.0.1", self._port)) == 0


async def _slow(_: Request) -> Response:
    _log.info("request_begun")
    await asyncio.sleep(0.5)
    return PlainTextResponse("done")


def create_app(settings: CommonSettings) -> service.Service:
    plan = json.loads(sys.argv[1])
    if plan.get("app") == "misconfigured":
        raise ConfigurationError("LISTENINGPOST_PUBLIC_URL is not set")
    parts = [Part(each, settings.http.port) for each in plan.get("components", [])]
    tiny = service.Service("tiny", settings, parts, frozenset(plan.get("tolerates", [])))
    tiny.http.add_route("/slow", _slow)
    service.STOP_WITHIN_S = plan.get("stop_within_s", service.STOP_WITHIN_S)
    return tiny


if __name__ == "__main__":
    service.run(create_app, CommonSettings)
