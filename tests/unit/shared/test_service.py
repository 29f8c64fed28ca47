"""A service from start to end, as a process of its own: health, draining, exit codes."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.embedded.ports import lease_port
from shared.service import STOP_WITHIN_S
from tests.support.wait import until

_SCRIPT = Path(__file__).parents[2] / "support" / "tiny_service.py"
_WITHIN_S = 20.0


@dataclass
class Tiny:
    """The process, what it has logged, and its door."""

    process: asyncio.subprocess.Process
    port: int
    log: list[dict[str, Any]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    readers: list[asyncio.Task[None]] = field(default_factory=list)

    def events(self, name: str) -> list[dict[str, Any]]:
        return [line for line in self.log if line["event"] == name]

    async def get(self, path: str) -> httpx.Response:
        async with httpx.AsyncClient(trust_env=False) as client:
            return await client.get(f"http://127.0.0.1:{self.port}{path}")

    async def readyz(self, status: int) -> dict[str, Any]:
        """The answer of /readyz once it is `status`."""

        async def answer() -> dict[str, Any]:
            try:
                response = await self.get("/readyz")
            except httpx.TransportError as error:
                raise AssertionError("no answer") from error
            assert response.status_code == status, response.text
            body: dict[str, Any] = response.json()
            return body

        return await until(answer, within_s=_WITHIN_S, what=f"/readyz answers {status}")

    async def ended(self) -> int:
        """Its exit code, all it said being read."""
        async with asyncio.timeout(_WITHIN_S):
            code = await self.process.wait()
            await asyncio.gather(*self.readers)
        return code

    async def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return await self.ended()


@pytest.fixture
def port() -> Iterator[int]:
    lease = lease_port()
    yield lease.port
    lease.release()


@asynccontextmanager
async def tiny(port: int, *, env: dict[str, str] | None = None, **plan: object) -> AsyncIterator[Tiny]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(_SCRIPT),
        json.dumps(plan),
        env={**os.environ, "LISTENINGPOST_HTTP__PORT": str(port), **(env or {})},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    service = Tiny(process, port)
    service.readers = [asyncio.create_task(_read_log(service)), asyncio.create_task(_read_errors(service))]
    try:
        yield service
    finally:
        if process.returncode is None:
            process.kill()
        await service.ended()


async def _read_log(service: Tiny) -> None:
    assert service.process.stdout is not None
    async for line in service.process.stdout:
        service.log.append(json.loads(line))


async def _read_errors(service: Tiny) -> None:
    assert service.process.stderr is not None
    async for line in service.process.stderr:
        service.errors.append(line.decode())


async def test_it_is_alive_before_it_is_ready(port: int, tmp_path: Path) -> None:
    needed = tmp_path / "kafka"
    parts = [{"name": "store"}, {"name": "kafka", "needs": str(needed)}, {"name": "consumer"}]
    async with tiny(port, components=parts) as service:
        body = await service.readyz(503)
        assert body["service"] == "tiny"
        assert body["status"] == "not ready"
        assert {"kafka", "consumer"} <= set(body["problems"])
        assert (await service.get("/healthz")).json() == {"service": "tiny", "status": "alive"}
        waits = await until(
            lambda: service.events("dependency_awaited"), within_s=_WITHIN_S, what="says it waits"
        )
        assert (waits[0]["component"], waits[0]["dependency"]) == ("kafka", "kafka")
        assert body["problems"]["kafka"] == waits[0]["cause"]
        needed.touch()
        assert await service.readyz(200) == {"service": "tiny", "status": "ready", "problems": {}}
        assert [line["part"] for line in service.events("part_started")] == ["store", "kafka", "consumer"]
        assert await service.stop() == 0


async def test_a_part_in_trouble_makes_it_not_ready_until_it_is_over(port: int, tmp_path: Path) -> None:
    trouble = tmp_path / "trouble"
    async with tiny(port, components=[{"name": "store", "trouble": str(trouble)}]) as service:
        await service.readyz(200)
        trouble.touch()
        assert (await service.readyz(503))["problems"] == {"store": "there is trouble"}
        trouble.unlink()
        await service.readyz(200)


async def test_its_metrics_say_what_runs_whether_it_is_ready_and_how_busy_it_is(
    port: int, tmp_path: Path
) -> None:
    trouble = tmp_path / "trouble"
    async with tiny(port, components=[{"name": "store", "trouble": str(trouble)}]) as service:
        await service.readyz(200)

        async def measured() -> dict[str, float]:
            lines = (await service.get("/metrics")).text.splitlines()
            pairs = (line.rpartition(" ")[::2] for line in lines if not line.startswith("#"))
            found = {name: float(value) for name, value in pairs}
            assert found["listeningpost_event_loop_delay_seconds_count"] > 0
            return found

        found = await until(measured, within_s=_WITHIN_S, what="the event loop was looked at")
        release = metadata.version("listeningpost")
        assert found[f'listeningpost_build_info{{service="tiny",version="{release}"}}'] == 1
        assert found["listeningpost_ready"] == 1
        assert found['listeningpost_http_request_seconds_count{route="/readyz",status="2xx"}'] > 0
        trouble.touch()
        assert (await measured())["listeningpost_ready"] == 0


async def test_what_it_tolerates_only_degrades_it(port: int, tmp_path: Path) -> None:
    kafka, store = tmp_path / "kafka", tmp_path / "store"
    parts = [{"name": "kafka", "trouble": str(kafka)}, {"name": "store", "trouble": str(store)}]
    async with tiny(port, components=parts, tolerates=["kafka"]) as service:
        await service.readyz(200)
        kafka.touch()
        await until(
            lambda: _status_is(service, "degraded"), within_s=_WITHIN_S, what="/readyz says it is degraded"
        )
        assert (await service.readyz(200))["problems"] == {"kafka": "there is trouble"}
        store.touch()
        assert (await service.readyz(503))["status"] == "not ready"


async def _status_is(service: Tiny, status: str) -> bool:
    return bool((await service.get("/readyz")).json()["status"] == status)


async def test_metrics_are_there_without_a_key(port: int) -> None:
    async with tiny(port) as service:
        await service.readyz(200)
        answer = await service.get("/metrics")
        assert answer.headers["content-type"].startswith("text/plain")
        assert "process_cpu_seconds_total" in answer.text


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_stops_it_in_reverse_order_behind_closed_doors(
    port: int, sent: signal.Signals
) -> None:
    parts = [{"name": "store"}, {"name": "kafka"}, {"name": "consumer", "stops_in_s": 0.2}]
    async with tiny(port, components=parts) as service:
        await service.readyz(200)
        loop = asyncio.get_running_loop()
        began = loop.time()
        service.process.send_signal(sent)
        assert await service.ended() == 0
        assert loop.time() - began < STOP_WITHIN_S
        stopped = service.events("part_stopped")
        assert [line["part"] for line in stopped] == ["consumer", "kafka", "store"]
        assert not any(line["door_open"] for line in stopped)
        assert service.log[-1]["event"] == "service_stopped"


async def test_a_request_in_hand_is_answered(port: int) -> None:
    async with tiny(port, components=[{"name": "store"}]) as service:
        await service.readyz(200)
        request = asyncio.create_task(service.get("/slow"))
        await until(lambda: service.events("request_begun"), within_s=_WITHIN_S, what="the request is in")
        service.process.send_signal(signal.SIGTERM)
        assert (await request).text == "done"
        assert await service.ended() == 0


async def test_it_can_be_stopped_while_it_waits_for_a_dependency(port: int, tmp_path: Path) -> None:
    parts = [{"name": "store"}, {"name": "kafka", "needs": str(tmp_path / "never")}]
    async with tiny(port, components=parts) as service:
        await service.readyz(503)
        await until(lambda: service.events("dependency_awaited"), within_s=_WITHIN_S, what="says it waits")
        assert await service.stop() == 0
        assert [line["part"] for line in service.events("part_stopped")] == ["kafka", "store"]


async def test_a_part_that_does_not_stop_does_not_hold_it_for_ever(port: int) -> None:
    async with tiny(port, components=[{"name": "store", "stop": "endless"}], stop_within_s=0.5) as service:
        await service.readyz(200)
        await service.stop()
        assert service.events("service_stop_timed_out")


async def test_a_part_that_breaks_while_stopping_keeps_no_other_from_it(port: int) -> None:
    parts = [{"name": "store"}, {"name": "consumer", "stop": "broken"}]
    async with tiny(port, components=parts) as service:
        await service.readyz(200)
        assert await service.stop() == 1
        assert [line["part"] for line in service.events("part_stopped")] == ["store"]
        (broken,) = service.events("component_not_stopped")
        assert (broken["component"], broken["error"]) == ("consumer", "ValueError")
        assert "s3cret" not in json.dumps(service.log)


@pytest.mark.parametrize(
    ("env", "plan", "says"),
    [
        (
            {"LISTENINGPOST_KAFKA__LINGER_MS": "s3cret"},
            {},
            "cannot start: LISTENINGPOST_KAFKA__LINGER_MS: Input should be a valid integer",
        ),
        ({"LISTENINGPOST_KAFFKA__X": "s3cret"}, {}, "did you mean LISTENINGPOST_KAFKA…?"),
        ({}, {"app": "misconfigured"}, "cannot start: LISTENINGPOST_PUBLIC_URL is not set"),
        (
            {},
            {"components": [{"name": "store", "start": "misconfigured"}]},
            "cannot start: LISTENINGPOST_PUBLIC_URL is not set",
        ),
    ],
)
async def test_configured_wrongly_it_says_so_in_one_line_and_exits_2(
    port: int, env: dict[str, str], plan: dict[str, Any], says: str
) -> None:
    async with tiny(port, env=env, **plan) as service:
        assert await service.ended() == 2
        (line,) = service.errors
        assert says in line
        assert "s3cret" not in line


async def test_a_port_in_use_is_named(port: int) -> None:
    with socket.create_server(("127.0.0.1", port)):
        async with tiny(port, components=[{"name": "store"}]) as service:
            assert await service.ended() == 2
            (line,) = service.errors
            assert line == (
                f"cannot start: cannot listen on 127.0.0.1:{port} (LISTENINGPOST_HTTP__PORT): it is in use\n"
            )


async def test_told_to_stop_it_answers_on_until_a_proxy_has_noticed(port: int) -> None:
    async with tiny(
        port, env={"LISTENINGPOST_HTTP__DRAIN_S": "1.5"}, components=[{"name": "store"}]
    ) as service:
        await service.readyz(200)
        service.process.send_signal(signal.SIGTERM)
        body = await service.readyz(503)
        assert body["problems"] == {"service": "stopping"}
        assert (await service.get("/slow")).text == "done"
        assert not service.events("service_stopping"), "it has not begun to close"
        assert await service.ended() == 0
        assert service.events("service_draining")
