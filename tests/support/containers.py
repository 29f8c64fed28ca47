"""Servers in containers, where Docker answers and has the image already: no test waits for a download."""

from __future__ import annotations

import gc
import shutil
import subprocess
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache

from deploy.embedded.mongod import REPLICA_SET

KAFKA_IMAGE = "apache/kafka"
MONGO_IMAGE = "mongo"
_ASK_WITHIN_S = 10.0
_INTERNAL_PORT = 29_092
_CONTROLLER_PORT = 29_093


@cache
def local_image(name: str) -> tuple[str, str]:
    """(the name with its tag, "") or ("", why not)."""
    program = shutil.which("docker")
    if program is None:
        return "", "Docker is not installed"
    # The command, not the SDK: that one leaves its sockets open, and here a warning is an error.
    command = [program, "image", "ls", "--format", "{{.Repository}}:{{.Tag}}", name]
    try:
        answer = subprocess.run(
            command, capture_output=True, encoding="utf-8", check=True, timeout=_ASK_WITHIN_S
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        return "", "Docker does not answer"
    # Sorted by age: what was built or pulled last comes first.
    images = answer.stdout.split()
    return (images[0], "") if images else ("", f"Docker has no image {name}")


@contextmanager
def kafka_container(image: str, port: int) -> Iterator[None]:
    """Clients on this machine reach it at `port`; the broker reaches itself at a listener of its own."""
    environment = {
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
    with warnings.catch_warnings():
        # testcontainers and the Docker SDK leave sockets to the garbage collector, which is called below.
        warnings.simplefilter("ignore")
        # Here, because importing it asks Docker.
        from testcontainers.core.config import testcontainers_config  # noqa: PLC0415
        from testcontainers.core.container import DockerContainer  # noqa: PLC0415

        # Ryuk, which would tidy up after a killed run, is one more image that would have to be here.
        testcontainers_config.ryuk_disabled = True
        container = DockerContainer(image).with_bind_ports(port, port).with_envs(**(environment or {}))
        if command:
            container.with_command(list(command))
        container.start()
    try:
        yield
    finally:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            container.stop()
            del container
            gc.collect()
