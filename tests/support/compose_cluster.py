"""The compose file with `deploy/docker/cluster.yml` on top: nodes are killed, cut off and started again."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from deploy.embedded.ports import PortLease, lease_port
from shared.domain.yaml_text import write_workspace
from tests.e2e.images.__main__ import upstream
from tests.load import company
from tests.load.sink import Delivery
from tests.support import compose, compose_books, images
from tests.support.compose import SERVICES, Project, docker, remove_image
from tests.support.tree import ROOT
from tests.support.wait import until

BROKERS = ("kafka", "kafka-2", "kafka-3")
MEMBERS = ("mongo", "mongo-2", "mongo-3")
_PORTS = ("PUBLISH_HTTP", "PUBLISH_SMTP", "PUBLISH_CONSOLE")
_BOOKS = Path(compose_books.__file__).read_text(encoding="utf-8")
_HEALED_WITHIN_S = 120.0
_PULLED_WITHIN_S = 300.0
_SINK = "http://sink:8080"
#: Docker takes the networks of its containers from these.
_PRIVATE = '["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]'


def missing() -> str:
    """What has to be here before this can work; "" when nothing is missing."""
    lack = compose.missing()
    if lack:
        return lack
    for name in upstream():
        if not images.is_local(name) and not images.docker(
            "pull", "--quiet", name, within_s=_PULLED_WITHIN_S
        ):
            return f"Docker can pull no {name}; `python -m tests.e2e.images` makes a stand-in"
    return ""


class ComposeCluster:
    """`start` builds and starts it, with a receiver for its notices beside; `close` leaves nothing behind."""

    def __init__(self, folder: Path, tag: str) -> None:
        self._tag = tag
        self._leases: dict[str, PortLease] = {name: lease_port() for name in _PORTS}
        self._cut: list[str] = []
        settings, beside = folder / ".env", folder / "beside.yml"
        settings.write_text(self._settings(), encoding="utf-8")
        beside.write_text(self._beside(settings), encoding="utf-8")
        self.project = Project(
            f"listeningpost-{tag}", settings, (ROOT / "deploy" / "docker" / "cluster.yml", beside)
        )
        self.token = ""

    @property
    def port(self) -> int:
        """Of the ingest door, on this machine."""
        return self._leases["PUBLISH_HTTP"].port

    def start(self) -> None:
        """Everything is ready, and knows a company whose pieces go to the receiver beside."""
        self.project.must("up", "--build", "--detach")
        workspace = write_workspace(company.with_sink(_SINK))
        applied = self.project.tools("apply", "-", "--author", "test", text=workspace)
        assert applied.code == 0, applied.err
        self.project.must("up", "--detach", "--wait")
        self.token = self.project.tools("keys", "create", "traffic").out.strip()

    def close(self) -> dict[str, list[str]]:
        """What could not be taken away, by kind."""
        self.project.compose("down", "--volumes", "--remove-orphans", "--timeout", "5")
        left = self.project.left_behind()
        for name in (*SERVICES, "tools"):
            remove_image(f"listeningpost-{name}:{self._tag}")
        for lease in self._leases.values():
            lease.release()
        return left

    def kill(self, service: str) -> None:
        """SIGKILL. Docker starts nothing again that was killed by its own command."""
        docker("kill", "--signal", "KILL", self._id(service))

    @contextmanager
    def cut_off(self, service: str) -> Iterator[None]:
        """Within it nobody reaches it, and it reaches nobody; its connections are not closed."""
        self._pull(service)
        try:
            yield
        finally:
            self._plug(service)

    async def healed(self) -> None:
        """What was killed runs again, and returns when every copy of everything is in sync."""
        await asyncio.to_thread(self.project.must, "start", *BROKERS, *MEMBERS)
        await until(self._in_sync, within_s=_HEALED_WITHIN_S, what="every copy is in sync")

    async def leader(self) -> str:
        """The broker that leads the first partition of what was received."""
        number: int = (await self.books("brokers"))["brokers"]["leader"]
        return BROKERS[number - 1]

    async def primary(self) -> str:
        members: dict[str, str] = (await self.books("members"))["members"]
        return next(host for host, part in members.items() if part == "primary")

    async def books(self, *parts: str) -> dict[str, Any]:
        """Those parts of `compose_books`. Raises Failed, an AssertionError, while nobody can be asked."""
        asked = ("exec", "-T", "sink", "python", "-", *parts)
        found = await asyncio.to_thread(self.project.must, *asked, text=_BOOKS)
        return dict(json.loads(found))

    async def spooled(self) -> int:
        """How many pieces wait in the spool."""
        async with httpx.AsyncClient(timeout=5) as http:
            answer = await http.get(f"http://127.0.0.1:{self.port}/metrics")
        lines = dict(line.rsplit(" ", 1) for line in answer.text.splitlines() if line[:1] != "#")
        return int(float(lines["listeningpost_spool_records"]))

    async def received(self) -> Sequence[Delivery]:
        """All notices that came."""
        async with httpx.AsyncClient(timeout=30) as http:
            answer = await http.get(f"http://{self.project.address('sink')}:8080/from/0")
        return [Delivery(**each) for each in answer.json()]

    async def _in_sync(self) -> bool:
        found = await self.books("brokers", "members")
        assert not found["brokers"]["behind"], found
        parts = sorted(found["members"].values())
        assert parts == ["primary", "secondary", "secondary"], found
        return True

    def _id(self, service: str) -> str:
        return str(self.project.container(service)["Id"])

    def _pull(self, service: str) -> None:
        docker("network", "disconnect", f"{self.project.name}_inside", self._id(service))

    def _plug(self, service: str) -> None:
        # Its name on the network goes with the connection.
        network = f"{self.project.name}_inside"
        docker("network", "connect", "--alias", service, network, self._id(service))

    def _settings(self) -> str:
        lines = {
            **{name: str(lease.port) for name, lease in self._leases.items()},
            "IMAGE_TAG": self._tag,
            "LISTENINGPOST_SECRETS__SINK": f"whsec_{secrets.token_hex(16)}",
            "LISTENINGPOST_NOTIFIER__WEBHOOK__ALLOWED_NETWORKS": f"'{_PRIVATE}'",
        }
        return "".join(f"{name}={value}\n" for name, value in lines.items())

    def _beside(self, settings: Path) -> str:
        """No container reads the .env of whoever runs this, and there is somebody who takes every notice."""
        env_files = "".join(
            f"  {name}:\n    env_file: !override [{{path: {settings}}}]\n"
            for name in (*SERVICES, "keys", "init", "tools")
        )
        sink = f"""  sink:
    image: listeningpost-tools:{self._tag}
    pull_policy: never
    init: true
    entrypoint: [python, /sink.py, "0.0.0.0:8080"]
    environment:
      LISTENINGPOST_KAFKA__BOOTSTRAP_SERVERS: {",".join(f"{name}:9092" for name in BROKERS)}
      LISTENINGPOST_MONGO__URI: mongodb://listeningpost@{",".join(MEMBERS)}/?replicaSet=listeningpost
      LISTENINGPOST_SECRETS_DIR: /run/listeningpost/token
    dns_opt: ["timeout:1", "attempts:1"]
    volumes: ["token:/run/listeningpost/token:ro", "{ROOT}/tests/load/sink.py:/sink.py:ro"]
    networks: [inside]
    depends_on: {{init: {{condition: service_completed_successfully}}}}
"""
        return f"services:\n{env_files}{sink}"
