"""The servers of a test run, chosen in one place and named in the header."""

from __future__ import annotations

import os
import secrets
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from tests.support.choice import AddressMissing, Choice, Kind, Stack, choose_kafka, choose_mongo
from tests.support.kafka_jars import KAFKA_VERSION, why_unavailable

if TYPE_CHECKING:
    from xdist.workermanage import WorkerController

    from tests.support import session

# How long an example takes says how busy the machine is.
settings.register_profile("patient", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

_STACK_HELP = """Kafka and MongoDB for the tests. auto: the addresses in LISTENINGPOST_TEST_KAFKA and
LISTENINGPOST_TEST_MONGO, else containers of the images that the compose file names, where Docker has them or
can pull them, else embedded. apache-kafka: the real broker from its jars (needs Java 17 and Maven), MongoDB
as with auto. embedded: that. env: the addresses or nothing."""
_CHOICES = pytest.StashKey[dict[str, Choice]]()
#: Which fixture asks for which server.
_ASKS = {"kafka_server": "kafka", "apache_kafka": "kafka", "mongo_server": "mongo"}
_WITH_SERVERS = ("tests/integration/", "tests/chaos/", "tests/e2e/")
_FIRST_WORKER = "gw0"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--stack", choices=list(Stack), default=Stack.AUTO, help=_STACK_HELP)


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_CHOICES] = {}


def pytest_report_collectionfinish(config: pytest.Config, items: Sequence[pytest.Item]) -> list[str]:
    """The servers that are needed; a run that needs none asks nobody."""
    asked = {fixture for item in items for fixture in getattr(item, "fixturenames", ())}
    wanted = {server for fixture, server in _ASKS.items() if fixture in asked}
    return _named(config, wanted)


def pytest_xdist_node_collection_finished(node: WorkerController, ids: Sequence[str]) -> None:
    """The same with several processes: each has its servers, chosen alike. Here only the paths are known."""
    reporter = node.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or node.gateway.id != _FIRST_WORKER:
        return
    if any(name.startswith(_WITH_SERVERS) for name in ids):
        for line in _named(node.config, set(_ASKS.values())):
            reporter.write_line(line)


def _named(config: pytest.Config, servers: Collection[str]) -> list[str]:
    return [f"{server}: {_chosen(config, server)}" for server in sorted(servers)]


def _chosen(config: pytest.Config, server: str) -> Choice:
    choices = config.stash[_CHOICES]
    if server not in choices:
        choose = {"kafka": choose_kafka, "mongo": choose_mongo}[server]
        try:
            choices[server] = choose(Stack(config.getoption("--stack")), os.environ)
        except AddressMissing as error:
            raise pytest.UsageError(str(error)) from error
    return choices[server]


@pytest.fixture(scope="session")
def kafka_server(pytestconfig: pytest.Config) -> Iterator[session.KafkaAddress]:
    """The broker of this run. Topics are not made by themselves: declare them."""
    # Here, because it takes half a second that a run of unit tests need not wait.
    from tests.support import session  # noqa: PLC0415

    with session.kafka(_chosen(pytestconfig, "kafka")) as address:
        yield address


@pytest.fixture(scope="session")
def mongo_server(pytestconfig: pytest.Config) -> Iterator[session.MongoAddress]:
    """The replica set of this run."""
    from tests.support import session  # noqa: PLC0415

    with session.mongo(_chosen(pytestconfig, "mongo")) as address:
        yield address


@pytest.fixture(scope="session")
def apache_kafka(request: pytest.FixtureRequest) -> Iterator[session.KafkaAddress]:
    """Apache Kafka itself, for tests marked kafka_smoke: that of this run, else one from the jars."""
    chosen = _chosen(request.config, "kafka")
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
