"""The examples in `deploy/proxy/`, in the programs they are written for: hooks get through, nothing else."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Mapping, Sequence

import httpx
import pytest
import pytest_asyncio

from deploy.embedded.ports import LOOPBACK, lease_port
from deploy.embedded.readiness import listens
from services.ingest.channels import cloudevents, slack, webhook, zendesk
from tests.support.http_server import HttpServer, Reply, Request
from tests.support.tree import ROOT
from tests.support.wait import until

_FOLDER = ROOT / "deploy" / "proxy"
_COMMANDS: Mapping[str, Sequence[str]] = {
    "haproxy": ("haproxy", "-f", str(_FOLDER / "haproxy.cfg")),
    "caddy": ("caddy", "run", "--adapter", "caddyfile", "--config", str(_FOLDER / "Caddyfile")),
}
_HOOKS = (slack.PATH, zendesk.PATH, cloudevents.PATH, f"{webhook.PATH}/survey")
_INSIDE = (
    "/",
    "/v1/feedback",
    "/v1/imports/1",
    "/v1/notes",
    "/notes",
    "/internal/doors",
    "/metrics",
    "/readyz",
    "/openapi.json",
    "/v1/accounts",
    "/first",
    f"{slack.PATH}/../../../feedback",
    f"{webhook.PATH}/../../feedback",
    f"{webhook.PATH}/%2e%2e/%2e%2e/feedback",
)


@pytest_asyncio.fixture(params=sorted(_COMMANDS))
async def proxy(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[str]:
    """Its address, with an ingest behind it that says what it was asked."""
    program, *arguments = _COMMANDS[request.param]
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not here (apt-get install {program})")

    async def answer(asked: Request) -> Reply:
        return Reply(body=asked.path.encode())

    lease = lease_port()
    listen = f"{LOOPBACK}:{lease.port}"
    async with HttpServer(answer) as ingest:
        where = {
            "INGEST": ingest.url.removeprefix("http://"),
            "LISTEN": listen,
            "SITE": f"http://{listen}",
            # Caddy keeps what it learnt at home.
            "HOME": str(tmp_path_factory.mktemp("home")),
        }
        running = await asyncio.create_subprocess_exec(
            program,
            *arguments,
            env={"PATH": os.environ["PATH"], **where},
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            await until(lambda: listens(lease.port), within_s=20, what=f"{program} listens")
            async with httpx.AsyncClient(base_url=f"http://{listen}") as http:

                async def lets_through() -> bool:
                    return (await http.post(_HOOKS[0])).status_code == httpx.codes.OK

                await until(lets_through, within_s=20, what=f"{program} finds ingest")
            yield f"http://{listen}"
        finally:
            running.terminate()
            await running.wait()
    lease.release()


async def test_hooks_get_through_and_nothing_else_is_there(proxy: str) -> None:
    async with httpx.AsyncClient() as http:
        for path in _HOOKS:
            answer = await http.post(f"{proxy}{path}")
            assert (answer.status_code, answer.text) == (httpx.codes.OK, path)
        for path in _INSIDE:
            # As it is written: a client of ours would tidy the dots away.
            url = httpx.URL(proxy).copy_with(raw_path=path.encode())
            for method in ("GET", "POST"):
                answer = await http.request(method, url)
                assert answer.status_code == httpx.codes.NOT_FOUND, (method, path, answer.text)
