"""The servers all tests of a run share. Whoever wants to kill or pause a server starts one of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from deploy.embedded.broker import bootstrap_servers
from deploy.embedded.mongod import REPLICA_SET, mongo_uri
from deploy.embedded.ports import LOOPBACK, lease_port
from deploy.embedded.readiness import answers_kafka
from shared.store.replica_set import initiate
from tests.support.apache_kafka import ApacheKafka
from tests.support.choice import Choice, Kind
from tests.support.containers import kafka_container, mongo_container
from tests.support.embedded_broker import EmbeddedBroker
from tests.support.mongo_server import MongoServer
from tests.support.server import Server
from tests.support.wait import until

_WITHIN_S = 50.0


@dataclass(frozen=True, slots=True)
class KafkaAddress:
    """`idempotence` says whether it knows the idempotent producer, transactions and read_committed."""

    bootstrap: str
    kind: Kind
    idempotence: bool


@dataclass(frozen=True, slots=True)
class MongoAddress:
    uri: str
    kind: Kind


@contextmanager
def kafka(choice: Choice) -> Iterator[KafkaAddress]:
    match choice.kind:
        case Kind.ENV:
            yield KafkaAddress(choice.address, choice.kind, idempotence=True)
        case Kind.CONTAINER:
            with _contained(kafka_container, choice.address, _kafka_answers) as port:
                yield KafkaAddress(bootstrap_servers(port), choice.kind, idempotence=True)
        case Kind.APACHE_KAFKA:
            apache = ApacheKafka()
            with _running(apache):
                yield KafkaAddress(apache.bootstrap, choice.kind, idempotence=True)
        case Kind.EMBEDDED:
            broker = EmbeddedBroker()
            with _running(broker):
                yield KafkaAddress(broker.bootstrap, choice.kind, idempotence=False)


@contextmanager
def mongo(choice: Choice) -> Iterator[MongoAddress]:
    match choice.kind:
        case Kind.ENV:
            yield MongoAddress(choice.address, choice.kind)
        case Kind.CONTAINER:
            with _contained(mongo_container, choice.address, _initiated) as port:
                yield MongoAddress(mongo_uri(port), choice.kind)
        case _:
            server = MongoServer()
            with _running(server):
                yield MongoAddress(server.uri, choice.kind)


@contextmanager
def _running(server: Server) -> Iterator[None]:
    try:
        _run(server.start())
        yield
    finally:
        _run(server.close())


@contextmanager
def _contained(
    make: Callable[[str, int], AbstractContextManager[None]],
    image: str,
    answers: Callable[[int], Coroutine[Any, Any, None]],
) -> Iterator[int]:
    lease = lease_port()
    try:
        with make(image, lease.port):
            _run(answers(lease.port))
            yield lease.port
    finally:
        lease.release()


async def _kafka_answers(port: int) -> None:
    await until(lambda: answers_kafka(port), within_s=_WITHIN_S, what=f"the broker answers on port {port}")


async def _initiated(port: int) -> None:
    await initiate(f"{LOOPBACK}:{port}", REPLICA_SET, within_s=_WITHIN_S)


def _run(work: Coroutine[Any, Any, None]) -> None:
    """In a loop of its own, which leaves alone the one that the tests run in."""
    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(work)
    finally:
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
