"""Which Kafka and which MongoDB the tests talk to, and why. Nothing is started here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from deploy.embedded.broker import find_tansu, tansu_version
from deploy.embedded.errors import EmbeddedError
from deploy.embedded.mongod import find_mongod, mongod_version
from tests.support import images
from tests.support.kafka_jars import KAFKA_VERSION

KAFKA_SETTING = "LISTENINGPOST_TEST_KAFKA"
MONGO_SETTING = "LISTENINGPOST_TEST_MONGO"
_ANSWERS_WITHIN_MS = 3_000


class Stack(StrEnum):
    """The values of `--stack`."""

    AUTO = "auto"
    EMBEDDED = "embedded"
    APACHE_KAFKA = "apache-kafka"
    ENV = "env"


class Kind(StrEnum):
    ENV = "address from the environment"
    CONTAINER = "container"
    APACHE_KAFKA = "Apache Kafka from its jars"
    EMBEDDED = "embedded"


@dataclass(frozen=True, slots=True)
class Choice:
    """`address` is the one in the environment, or the image of a container; else empty."""

    kind: Kind
    version: str
    why: str
    address: str = ""

    def __str__(self) -> str:
        return f"{self.kind}, {self.version} ({self.why})"


class AddressMissing(Exception):
    """`--stack=env` without the variable it needs."""


def choose_kafka(stack: Stack, environ: Mapping[str, str]) -> Choice:
    if stack is Stack.APACHE_KAFKA:
        return Choice(Kind.APACHE_KAFKA, f"Apache Kafka {KAFKA_VERSION}", f"--stack={stack}")
    return (
        _given(stack, environ, KAFKA_SETTING, _unknown)
        or _container(stack, "kafka", "Apache Kafka")
        or _embedded_kafka(stack)
    )


def choose_mongo(stack: Stack, environ: Mapping[str, str]) -> Choice:
    """`apache-kafka` says nothing about MongoDB: then it is chosen as with `auto`."""
    if stack is Stack.APACHE_KAFKA:
        stack = Stack.AUTO
    return (
        _given(stack, environ, MONGO_SETTING, _asked)
        or _container(stack, "mongo", "MongoDB")
        or _embedded_mongo(stack)
    )


def _given(
    stack: Stack, environ: Mapping[str, str], setting: str, version: Callable[[str], str]
) -> Choice | None:
    address = environ.get(setting) if stack in {Stack.AUTO, Stack.ENV} else None
    if address:
        return Choice(Kind.ENV, version(address), f"{setting} is set", address)
    if stack is Stack.ENV:
        raise AddressMissing(f"--stack=env needs {setting}")
    return None


def _unknown(_bootstrap: str) -> str:
    return "of a version that Kafka does not tell"


def _asked(uri: str) -> str:
    client: MongoClient[dict[str, object]] = MongoClient(uri, serverSelectionTimeoutMS=_ANSWERS_WITHIN_MS)
    try:
        return f"MongoDB {client.server_info()['version']}"
    except PyMongoError as error:
        return f"but: it does not answer ({type(error).__name__})"
    finally:
        client.close()


def _container(stack: Stack, service: str, name: str) -> Choice | None:
    if stack is not Stack.AUTO:
        return None
    image, _ = images.found(service)
    if not image:
        return None
    version = f"{name} {images.version(service, image)}"
    return Choice(Kind.CONTAINER, version, f"Docker answers and has the image {image}", image)


def _embedded_kafka(stack: Stack) -> Choice:
    try:
        version = f"Tansu {tansu_version(find_tansu())}"
    except EmbeddedError as error:
        version = f"but: {error}"
    return Choice(Kind.EMBEDDED, version, _why_embedded(stack, KAFKA_SETTING, "kafka"))


def _embedded_mongo(stack: Stack) -> Choice:
    try:
        version = f"MongoDB {mongod_version(find_mongod())}"
    except EmbeddedError as error:
        version = f"but: {error}"
    return Choice(Kind.EMBEDDED, version, _why_embedded(stack, MONGO_SETTING, "mongo"))


def _why_embedded(stack: Stack, setting: str, service: str) -> str:
    if stack is Stack.EMBEDDED:
        return f"--stack={stack}"
    return f"{setting} is not set, {images.found(service)[1]}"
