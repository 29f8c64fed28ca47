"""Broker, database and the services on them, as child processes that can be killed and started again."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import sys
import tempfile
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from cryptography.fernet import Fernet
from pydantic import SecretStr

from deploy.embedded.children import Child
from deploy.embedded.output import shorten
from deploy.embedded.ports import LOOPBACK, PortLease, lease_port
from deploy.embedded.process import Command, Exit
from deploy.embedded.readiness import is_ready
from shared import clock
from shared.bus.admin import ensure_topics
from shared.domain.api_key import Scope
from shared.domain.workspace import Workspace
from shared.settings import KafkaSettings, MongoSettings
from shared.store.api_keys import ApiKeyStore
from shared.store.connection import Store
from shared.store.directory import DirectoryStore
from shared.store.migrations import Migrator
from tests.load.client import Client, request
from tests.support.apache_kafka import ApacheKafka
from tests.support.embedded_broker import EmbeddedBroker
from tests.support.mongo_server import MongoServer
from tests.support.server import Server
from tests.support.wait import until

READY_WITHIN_S = 60.0
_KEPT_LINES = 5_000
_PREFIX = "LISTENINGPOST_"


class Broker(Protocol):
    """A server that speaks Kafka's protocol."""

    @property
    def bootstrap(self) -> str: ...


class Running:
    """A program of ours. `start` may be called again after it ended; its port stays the same.

    It runs in the folder `cwd`, from which Python takes its modules first; None is that of this process.
    """

    def __init__(self, name: str, argv: tuple[str, ...], env: Mapping[str, str], port: PortLease) -> None:
        self.name = name
        self.lines: deque[str] = deque(maxlen=_KEPT_LINES)
        self.cwd: Path | None = None
        self._argv = argv
        self._env = env
        self._lease = port
        self._child: Child | None = None

    @property
    def port(self) -> int:
        return self._lease.port

    @property
    def pid(self) -> int:
        return self._alive().pid

    @property
    def running(self) -> bool:
        return self._child is not None and self._child.running

    def start(self, **env: str) -> None:
        """`env` is added for this one life: `start(LISTENINGPOST_FAILPOINT="…")`."""
        command = Command(self.name, self._argv, env={**self._env, **env}, cwd=self.cwd, grace_s=20)
        self._child = Child(command, self._hear)
        self._child.start()

    async def ready(self, within_s: float = READY_WITHIN_S) -> None:
        """Returns when `/readyz` says yes; raises ChildDied if it ends first."""
        await until(self._is_ready, within_s=within_s, what=f"{self.name} is ready")

    async def unready(self, within_s: float = READY_WITHIN_S) -> None:
        """Returns when `/readyz` says no."""
        await until(self._is_unready, within_s=within_s, what=f"{self.name} says that it is not ready")

    async def readiness(self) -> tuple[int, dict[str, str]]:
        """The status of `/readyz`, and what is wrong by component. Raises OSError."""
        client = Client(self.port)
        try:
            answer = await client.send(request("/readyz", b"", {}, "GET"))
        finally:
            client.close()
        return answer.status, json.loads(answer.body)["problems"]

    async def kill(self) -> None:
        if self.running:
            await self._alive().kill()

    async def stop(self) -> Exit | None:
        """SIGTERM; how it ended. None when it was not running."""
        return await self._alive().stop() if self.running else None

    async def ended(self) -> Exit:
        """Waits for its end, whoever brings it about."""
        return await self._alive().wait()

    async def close(self) -> None:
        await self.kill()
        self._lease.release()

    def complaints(self) -> list[str]:
        """What it said of late beside its ordinary log, as a person reads it."""
        shown = [(line, shorten(line)) for line in self.lines]
        return [
            f"{self.name}: {short[1]}"
            for line, short in shown
            if short is not None and (short[0] != "info" or not line.startswith("{"))
        ]

    async def _is_ready(self) -> bool:
        if not self.running:
            raise self._alive().death()
        return await is_ready(self.port)

    async def _is_unready(self) -> bool:
        return not await is_ready(self.port)

    def _hear(self, _name: str, line: str) -> None:
        self.lines.append(line)

    def _alive(self) -> Child:
        if self._child is None:
            raise RuntimeError(f"{self.name} was never started")
        return self._child


class Premises(ABC):
    """What services need to start, and what runs of them, on servers of its own; all ends with the block.

    `env` goes to every service.
    """

    def __init__(self, kafka: KafkaSettings, mongo_uri: str, *, env: Mapping[str, str] | None = None) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="listeningpost-house-"))
        self.kafka_settings = kafka
        self.mongo_settings = MongoSettings(uri=SecretStr(mongo_uri), database="house")
        self.store = Store(self.mongo_settings)
        self.processes: dict[str, Running] = {}
        self._env = dict(env or {})
        self._contributors_key = Fernet.generate_key().decode()
        self._webhook_secret = f"whsec_{secrets.token_hex(16)}"

    @abstractmethod
    async def start_servers(self) -> None:
        """Kafka and MongoDB answer, whatever had become of them."""

    @abstractmethod
    async def close_servers(self) -> None: ...

    async def __aenter__(self) -> Self:
        try:
            await self.start_servers()
            await ensure_topics(self.kafka_settings)
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is not None:
            for process in self.processes.values():
                error.add_note("\n".join(process.complaints()[-30:]))
        await self.close()

    async def close(self) -> None:
        await self.store.stop()
        for process in self.processes.values():
            await process.close()
        await self.close_servers()
        shutil.rmtree(self.directory, ignore_errors=True)

    async def furnish(self, workspace: Workspace) -> str:
        """Collections, directory and an API key: what services need to be ready. Returns the key's token."""
        await Migrator(self.store).start()
        await DirectoryStore(self.store).propose(workspace, "tests", expected=0, now=clock.now())
        _, token = await ApiKeyStore(self.store).create(
            "tests", [Scope.WRITE, Scope.IMPORT], now=clock.now(), created_by="tests"
        )
        return token

    def service(self, name: str, replica: str = "", **env: str) -> Running:
        """One of the services, not started yet; a further replica of it needs a name of its own."""
        argv = (sys.executable, "-m", f"services.{name}")
        return self.process(f"{name}{replica}", argv, {**self._service_env(name), **self._env, **env})

    def process(
        self, name: str, argv: tuple[str, ...], env: Mapping[str, str], port: PortLease | None = None
    ) -> Running:
        """Any program, not started yet."""
        lease = port or lease_port()
        running = Running(name, argv, {**env, f"{_PREFIX}HTTP__PORT": str(lease.port)}, lease)
        self.processes[name] = running
        return running

    async def make_topic(self, name: str, partitions: int) -> None:
        """One that is not ours."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.kafka_settings.bootstrap_servers)
        try:
            await admin.start()
            await admin.create_topics([NewTopic(name, partitions, 1)])
        finally:
            await admin.close()

    def bare_env(self) -> dict[str, str]:
        """The environment of this process, without what would configure a service or slow down its start."""
        left_out = (_PREFIX, "PYTHONDONTWRITEBYTECODE")
        env = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
        return {**env, "PYTHONUNBUFFERED": "1"}

    def _service_env(self, name: str) -> dict[str, str]:
        return self.bare_env() | {
            f"{_PREFIX}KAFKA__BOOTSTRAP_SERVERS": self.kafka_settings.bootstrap_servers,
            f"{_PREFIX}KAFKA__IDEMPOTENCE": str(self.kafka_settings.idempotence).lower(),
            f"{_PREFIX}KAFKA__DELETE_RECORDS": str(self.kafka_settings.delete_records).lower(),
            f"{_PREFIX}MONGO__URI": self.mongo_settings.uri.get_secret_value(),
            f"{_PREFIX}MONGO__DATABASE": self.mongo_settings.database,
            f"{_PREFIX}HTTP__HOST": LOOPBACK,
            f"{_PREFIX}LOG__FORMAT": "json",
            f"{_PREFIX}CONTRIBUTORS_KEY": self._contributors_key,
            f"{_PREFIX}SECRETS__SINK": self._webhook_secret,
            f"{_PREFIX}INGEST__SPOOL__DIRECTORY": str(self.directory / "spool"),
        }


class House(Premises):
    """On one broker and one MongoDB. `apache` takes Apache Kafka, else the embedded broker."""

    def __init__(self, *, apache: bool = False, env: Mapping[str, str] | None = None) -> None:
        self.broker: ApacheKafka | EmbeddedBroker = ApacheKafka() if apache else EmbeddedBroker()
        self.mongo = MongoServer()
        kafka = KafkaSettings(
            bootstrap_servers=self.broker.bootstrap, idempotence=apache, delete_records=apache
        )
        super().__init__(kafka, self.mongo.uri, env=env)

    async def start_servers(self) -> None:
        for server in self._servers():
            if not server.running:
                await server.start()
            server.resume()

    async def close_servers(self) -> None:
        for server in self._servers():
            # A paused one would sit out its grace first.
            if server.running:
                server.resume()
            await server.kill()
            await server.close()

    def _servers(self) -> tuple[Server, Server]:
        return self.mongo, self.broker
