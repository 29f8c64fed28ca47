"""Database, broker and services on this machine, as one thing that starts and stops."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from deploy.embedded.broker import KEEPS_NOTHING, bootstrap_servers, find_tansu, tansu_command, tansu_version
from deploy.embedded.errors import EmbeddedError
from deploy.embedded.mongod import REPLICA_SET, find_mongod, mongo_uri, mongod_command, mongod_version
from deploy.embedded.output import LineSink, Merger
from deploy.embedded.ports import LOOPBACK, PortLease, lease_port
from deploy.embedded.process import Command
from deploy.embedded.readiness import answers_kafka, is_ready, listens
from deploy.embedded.supervisor import Supervisor
from shared.errors import DependencyDown
from shared.store.replica_set import initiate

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

_SERVER_WITHIN_S = 60.0
_SERVICE_WITHIN_S = 60.0
# Longer than a service itself takes to drain, so that it is not cut off while doing so.
_SERVICE_GRACE_S = 30.0
_OWN_PREFIX = "LISTENINGPOST_EMBEDDED__"


@dataclass(frozen=True, slots=True)
class Service:
    """`argv` is for a stand-in, `env` for what only this one needs; a service of ours needs its name."""

    name: str
    argv: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)

    def command(self, env: Mapping[str, str]) -> Command:
        argv = self.argv or (sys.executable, "-m", f"services.{self.name}")
        return Command(self.name, argv, env={**env, **self.env}, grace_s=_SERVICE_GRACE_S)


@dataclass(eq=False, slots=True)
class EmbeddedStack:
    """`async with EmbeddedStack(services=["ingest"]) as stack:` and everything answers.

    `kafka` (bootstrap servers) and `mongo` (URI) are the user's own, used instead of the embedded ones.
    Without `data_dir` the database is in a temporary directory that goes with the stack. `http_ports` fixes
    the port of a service. `prepare` runs when database and broker answer, before the services start; what it
    returns is added to their environment. Raises EmbeddedError when it cannot start, ChildDied (also at the
    end of the block) when a process ended unasked; whatever was started is stopped first.
    """

    data_dir: Path | None = None
    services: Sequence[str | Service] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    kafka: str | None = None
    mongo: str | None = None
    database: str = "listeningpost"
    http_ports: Mapping[str, int] = field(default_factory=dict)
    prepare: Callable[[EmbeddedStack], Awaitable[Mapping[str, str]]] | None = None
    output: LineSink = field(default_factory=Merger)

    kafka_bootstrap: str = field(init=False, default="")
    mongo_uri: str = field(init=False, default="")
    ports: dict[str, int] = field(init=False, default_factory=dict)
    children: Supervisor = field(init=False)
    _leases: list[PortLease] = field(init=False, default_factory=list)
    _temporary: Path | None = field(init=False, default=None)

    async def __aenter__(self) -> Self:
        self.children = Supervisor(self.output)
        try:
            self.mongo_uri = self.mongo or await self._start_mongod()
            self.kafka_bootstrap = self.kafka or await self._start_broker()
            added = await self.prepare(self) if self.prepare else {}
            await self._start_services(added)
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.stop()
        died = self.children.death
        if died is None:
            return
        if error is None:
            raise died
        # Most likely the cause of whatever went wrong in the block.
        error.add_note(str(died))

    def url(self, service: str) -> str:
        return f"http://{LOOPBACK}:{self.ports[service]}"

    async def ready(self, service: str, *, within_s: float = _SERVICE_WITHIN_S) -> None:
        """Returns when `/readyz` of the service says yes."""
        port = self.ports[service]
        await self.children.until(
            lambda: is_ready(port),
            what=f"{service} is ready (GET {self.url(service)}/readyz)",
            within_s=within_s,
        )

    async def stop(self) -> None:
        """Everything, in reverse order. May be repeated."""
        await self.children.stop()
        while self._leases:
            self._leases.pop().release()
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)

    async def _start_mongod(self) -> str:
        binary = find_mongod()
        version = mongod_version(binary)
        port, dbpath = self._lease(), self._directory() / "mongo"
        dbpath.mkdir(mode=0o700, exist_ok=True)
        self.children.add(mongod_command(binary, dbpath=dbpath, port=port))
        await self.children.until(lambda: listens(port), what="mongod answers", within_s=_SERVER_WITHIN_S)
        try:
            await initiate(f"{LOOPBACK}:{port}", REPLICA_SET, within_s=_SERVER_WITHIN_S)
        except (TimeoutError, DependencyDown) as error:
            raise self.children.death or EmbeddedError("mongod did not become a primary.") from error
        kept = "in a temporary directory" if self.data_dir is None else f"in {dbpath}"
        self._say(f"MongoDB {version} at {LOOPBACK}:{port}, its data {kept}")
        return mongo_uri(port)

    async def _start_broker(self) -> str:
        binary = find_tansu()
        version = tansu_version(binary)
        port = self._lease()
        self.children.add(tansu_command(binary, port=port))
        await self.children.until(
            lambda: answers_kafka(port), what="broker answers", within_s=_SERVER_WITHIN_S
        )
        self._say(f"Kafka protocol (Tansu {version}) at {LOOPBACK}:{port}; {KEEPS_NOTHING}")
        return bootstrap_servers(port)

    async def _start_services(self, added: Mapping[str, str]) -> None:
        """All at once; ready in whatever order they like."""
        services = [Service(each) if isinstance(each, str) else each for each in self.services]
        for service in services:
            self.ports[service.name] = self.http_ports.get(service.name) or self._lease()
        for service in services:
            self.children.add(service.command({**self._service_env(service.name), **self.env, **added}))
        for service in services:
            await self.ready(service.name)
            self._say(f"{service.name} at {self.url(service.name)}")

    def _service_env(self, name: str) -> dict[str, str]:
        env = {key: value for key, value in os.environ.items() if not key.startswith(_OWN_PREFIX)}
        env |= {
            "LISTENINGPOST_KAFKA__BOOTSTRAP_SERVERS": self.kafka_bootstrap,
            "LISTENINGPOST_MONGO__URI": self.mongo_uri,
            "LISTENINGPOST_MONGO__DATABASE": self.database,
            "LISTENINGPOST_HTTP__HOST": LOOPBACK,
            "LISTENINGPOST_HTTP__PORT": str(self.ports[name]),
            "LISTENINGPOST_LOG__FORMAT": "json",
            "PYTHONUNBUFFERED": "1",
        }
        if self.kafka is None:
            # The embedded broker does not know InitProducerId.
            env["LISTENINGPOST_KAFKA__IDEMPOTENCE"] = "false"
            env["LISTENINGPOST_KAFKA__DELETE_RECORDS"] = "false"
        return env

    def _lease(self) -> int:
        lease = lease_port()
        self._leases.append(lease)
        return lease.port

    def _directory(self) -> Path:
        if self.data_dir is not None:
            self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            return self.data_dir
        self._temporary = Path(tempfile.mkdtemp(prefix="listeningpost-"))
        return self._temporary

    def _say(self, line: str) -> None:
        self.output("embedded", line)
