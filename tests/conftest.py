"""The servers of a test run, chosen in one place and named in the header."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.support.choice import AddressMissing, Choice, Kind, Stack, choose_kafka, choose_mongo
from tests.support.kafka_jars import KAFKA_VERSION, why_unavailable

if TYPE_CHECKING:
    from tests.support import session

_STACK_HELP = """Kafka and MongoDB for the tests. auto: the addresses in LISTENINGPOST_TEST_KAFKA and
LISTENINGPOST_TEST_MONGO, else containers whose images are here, else embedded. apache-kafka: the real broker
from its jars (needs Java 17 and Maven), MongoDB as with auto. env: the addresses or nothing."""
_KAFKA = pytest.StashKey[Choice]()
_MONGO = pytest.StashKey[Choice]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--stack", choices=list(Stack), default=Stack.AUTO, help=_STACK_HELP)


def pytest_configure(config: pytest.Config) -> None:
    stack = Stack(config.getoption("--stack"))
    try:
        config.stash[_KAFKA] = choose_kafka(stack, os.environ)
        config.stash[_MONGO] = choose_mongo(stack, os.environ)
    except AddressMissing as error:
        raise pytest.UsageError(str(error)) from error


def pytest_report_header(config: pytest.Config) -> list[str]:
    return [f"kafka: {config.stash[_KAFKA]}", f"mongo: {config.stash[_MONGO]}"]


@pytest.fixture(scope="session")
def kafka_server(pytestconfig: pytest.Config) -> Iterator[session.KafkaAddress]:
    """The broker of this run. Topics are not made by themselves: declare them."""
    # Here, because it takes half a second that a run of unit tests need not wait.
    from tests.support import session  # noqa: PLC0415

    with session.kafka(pytestconfig.stash[_KAFKA]) as address:
        yield address


@pytest.fixture(scope="session")
def mongo_server(pytestconfig: pytest.Config) -> Iterator[session.MongoAddress]:
    """The replica set of this run."""
    from tests.support import session  # noqa: PLC0415

    with session.mongo(pytestconfig.stash[_MONGO]) as address:
        yield address


@pytest.fixture(scope="session")
def apache_kafka(request: pytest.FixtureRequest) -> Iterator[session.KafkaAddress]:
    """Apache Kafka itself, for tests marked kafka_smoke: that of this run, else one from the jars."""
    chosen = request.config.stash[_KAFKA]
    if chosen.kind is not Kind.EMBEDDED:
        yield request.getfixturevalue("kafka_server")
        return
    missing = why_unavailable()
    if missing is not None:
        pytest.skip(missing)
    from tests.support import session  # noqa: PLC0415

    with session.kafka(Choice(Kind.APACHE_KAFKA, KAFKA_VERSION, "kafka_smoke")) as address:
        yield address


@pytest.fixture
def database_name() -> str:
    """A database that no other test uses."""
    return f"test_{secrets.token_hex(4)}"


@pytest.fixture
def topic_prefix() -> str:
    """What to put before every topic and consumer group, so that no other test sees them."""
    return f"test-{secrets.token_hex(4)}."
