"""Servers in containers. They end with the test run, and what a killed run left behind with the next one."""

from __future__ import annotations

import gc
import os
import socket
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from deploy.embedded.mongod import REPLICA_SET
from tests.support.images import docker, is_local
from tests.support.kafka_properties import CLUSTER_ID

_WITHIN_S = 30.0
_INTERNAL_PORT = 29_092
_CONTROLLER_PORT = 29_093
#: Says which test run a container is of: "host pid".
LABEL = "listeningpost.test-run"


def remove_leftovers() -> list[str]:
    """Containers of runs on this machine that are no more are gone; their ids."""
    listing = docker(
        *("ps", "--all", "--filter", f"label={LABEL}", "--format", f'{{{{.ID}}}} {{{{.Label "{LABEL}"}}}}'),
        within_s=_WITHIN_S,
    )
    rows = [line.split() for line in (listing or "").splitlines()]
    left = [
        container
        for container, host, pid in rows
        if host == socket.gethostname() and not Path("/proc", pid).exists()
    ]
    if left:
        docker("rm", "--force", "--volumes", *left, within_s=_WITHIN_S)
    return left


@contextmanager
def kafka_container(image: str, port: int) -> Iterator[None]:
    """Clients on this machine reach it at `port`; the broker reaches itself at a listener of its own."""
    environment = {
        # As for the jars: it lives for minutes.
        "KAFKA_HEAP_OPTS": "-Xms128m -Xmx400m",
        "KAFKA_OPTS": "-XX:TieredStopAtLevel=1",
        "CLUSTER_ID": CLUSTER_ID,
        "KAFKA_NODE_ID": "1",
        "KAFKA_PROCESS_ROLES": "broker,controller",
        "KAFKA_LISTENERS": (
            f"PLAINTEXT://:{port},INTERNAL://:{_INTERNAL_PORT},CONTROLLER://:{_CONTROLLER_PORT}"
        ),
        "KAFKA_ADVERTISED_LISTENERS": (f"PLAINTEXT://127.0.0.1:{port},INTERNAL://127.0.0.1:{_INTERNAL_PORT}"),
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": (
            "PLAINTEXT:PLAINTEXT,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT"
        ),
        "KAFKA_INTER_BROKER_LISTENER_NAME": "INTERNAL",
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": f"1@127.0.0.1:{_CONTROLLER_PORT}",
        "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
        "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "KAFKA_SHARE_COORDINATOR_STATE_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_SHARE_COORDINATOR_STATE_TOPIC_MIN_ISR": "1",
    }
    with _running(image, port, environment=environment):
        yield


@contextmanager
def mongo_container(image: str, port: int) -> Iterator[None]:
    """The same port inside and outside: a member of a replica set must find itself at its own address."""
    command = ["mongod", "--replSet", REPLICA_SET, "--bind_ip_all", "--port", str(port)]
    with _running(image, port, command=command):
        yield


@contextmanager
def _running(
    image: str, port: int, *, environment: dict[str, str] | None = None, command: Sequence[str] = ()
) -> Iterator[None]:
    remove_leftovers()
    with warnings.catch_warnings():
        # testcontainers and the Docker SDK leave sockets to the garbage collector, which is called below.
        warnings.simplefilter("ignore")
        # Here, because importing it asks Docker.
        from testcontainers.core.config import testcontainers_config  # noqa: PLC0415
        from testcontainers.core.container import DockerContainer  # noqa: PLC0415

        # Ryuk, which tidies up after a killed run, is one more image that may not be here.
        testcontainers_config.ryuk_disabled = not is_local(testcontainers_config.ryuk_image)
        container = DockerContainer(image).with_bind_ports(port, port).with_envs(**(environment or {}))
        container.with_kwargs(labels={LABEL: f"{socket.gethostname()} {os.getpid()}"})
        if command:
            container.with_command(list(command))
        container.start()
    try:
        yield
    except AssertionError as error:
        name = container.get_wrapped_container().id
        said = docker("logs", "--tail", "20", name, within_s=_WITHIN_S, errors=True)
        error.add_note(f"{image} said:\n{said}")
        raise
    finally:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            container.stop()
            del container
            gc.collect()
