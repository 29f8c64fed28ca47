"""Kafka behind TLS, with a password or a certificate: by settings alone, and a wrong one is named."""

from __future__ import annotations

import gc
import secrets
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import pytest_asyncio

from shared.bus.admin import ensure_topics
from shared.bus.condition import lags
from shared.bus.consumer import Consumer
from shared.bus.publisher import Publisher
from shared.bus.subscription import Outcome, Received, Subscription
from shared.bus.tail import read_all
from shared.errors import ConfigurationError, DependencyDown
from shared.events.feedback import FeedbackReceived
from shared.events.topics import RECEIVED
from shared.settings import CommonSettings, KafkaSettings, load
from tests.support.certificates import Authority
from tests.support.feedback import piece
from tests.support.kafka_jars import why_unavailable
from tests.support.secured_kafka import USERNAME, SecuredKafka
from tests.support.wait import until

pytestmark = [
    pytest.mark.kafka_smoke,
    pytest.mark.timeout(120),
    pytest.mark.skipif(why_unavailable() is not None, reason=str(why_unavailable())),
]
_SOCKETS_ARE_LEFT = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")

_WITHIN_S = 30.0


@dataclass(frozen=True, slots=True)
class Secured:
    """What the settings may say of a broker."""

    kafka: SecuredKafka
    password: str
    ca: Path
    stranger: Path
    certificate: Path
    prefix: str

    def settings(self, **changed: str) -> KafkaSettings:
        """As the environment gives them: a name and a password over TLS, save what is `changed`."""
        values = {
            "BOOTSTRAP_SERVERS": self.kafka.login,
            "SECURITY_PROTOCOL": "SASL_SSL",
            "SASL_MECHANISM": "SCRAM-SHA-512",
            "SASL_USERNAME": USERNAME,
            "SASL_PASSWORD": self.password,
            "CA_FILE": str(self.ca),
            "TOPIC_PREFIX": self.prefix,
            "REQUEST_TIMEOUT_MS": "5000",
            "SESSION_TIMEOUT_MS": "6000",
        } | changed
        return load(
            CommonSettings, {f"LISTENINGPOST_KAFKA__{name}": value for name, value in values.items()}
        ).kafka

    def by_certificate(self, **changed: str) -> KafkaSettings:
        return self.settings(
            BOOTSTRAP_SERVERS=self.kafka.certificate,
            SECURITY_PROTOCOL="SSL",
            CERT_FILE=str(self.certificate),
            **changed,
        )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Secured]:
    directory = tmp_path_factory.mktemp("certificates")
    authority = Authority("authority", directory)
    password = secrets.token_urlsafe(16)
    async with SecuredKafka(authority, password) as kafka:
        stranger = Authority("stranger", directory).file
        yield Secured(kafka, password, authority.file, stranger, authority.issue("client"), "")


@pytest.fixture
def secured(server: Secured, topic_prefix: str) -> Secured:
    return replace(server, prefix=topic_prefix)


async def _works(kafka: KafkaSettings) -> None:
    """Topics are made, an event goes there and back, and the group's commit is seen."""
    await ensure_topics(kafka)
    seen: list[str] = []

    async def read(batch: Sequence[Received[FeedbackReceived]]) -> Sequence[Outcome]:
        seen.extend(received.event.text for received in batch)
        return [Outcome.DONE] * len(batch)

    async def committed() -> bool:
        (lag,) = [lag for lag in await lags(kafka) if lag.topic == RECEIVED.name]
        return lag.is_known and lag.behind == 0

    publisher = Publisher(kafka, "tests")
    await publisher.start()
    consumer = Consumer(kafka, [Subscription(RECEIVED, "classifier", read)], publisher, "tests")
    try:
        await consumer.start()
        await publisher.publish(RECEIVED, [piece("behind TLS")], within_s=_WITHIN_S)
        await until(lambda: seen == ["piece behind TLS"], within_s=_WITHIN_S, what="it is read")
        await until(committed, within_s=_WITHIN_S, what="it is committed")
    finally:
        await consumer.stop()
        await publisher.stop()
    assert len([record async for record in read_all(kafka, RECEIVED.name)]) == 1


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-512", "PLAIN"])
async def test_a_name_and_a_password_over_tls(secured: Secured, mechanism: str) -> None:
    await _works(secured.settings(SASL_MECHANISM=mechanism))


async def test_a_certificate_of_ours(secured: Secured) -> None:
    await _works(secured.by_certificate())


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"SASL_PASSWORD": "not the password"}, "refuses LISTENINGPOST_KAFKA__SASL_USERNAME or its"),
        ({"SASL_USERNAME": "stranger"}, "refuses LISTENINGPOST_KAFKA__SASL_USERNAME or its"),
        ({"SASL_MECHANISM": "SCRAM-SHA-256"}, "does not know LISTENINGPOST_KAFKA__SASL_MECHANISM"),
        ({"CA_FILE": "stranger"}, "that LISTENINGPOST_KAFKA__CA_FILE does not vouch for"),
        ({"SECURITY_PROTOCOL": "PLAINTEXT"}, "LISTENINGPOST_KAFKA__SECURITY_PROTOCOL"),
        ({"SECURITY_PROTOCOL": "SASL_PLAINTEXT"}, "LISTENINGPOST_KAFKA__SECURITY_PROTOCOL"),
    ],
)
@_SOCKETS_ARE_LEFT
async def test_what_is_wrong_is_named_and_no_password(
    secured: Secured, changed: dict[str, str], says: str, caplog: pytest.LogCaptureFixture
) -> None:
    if "CA_FILE" in changed:
        changed = {"CA_FILE": str(secured.stranger)}
    await _says(secured.settings(**changed), says)
    for password in (secured.password, "not the password"):
        assert password not in caplog.text


@_SOCKETS_ARE_LEFT
async def test_who_has_no_certificate_is_told_so(secured: Secured) -> None:
    kafka = secured.by_certificate().model_copy(update={"cert_file": None})
    await _says(kafka, "LISTENINGPOST_KAFKA__CERT_FILE")


async def _says(kafka: KafkaSettings, what: str) -> None:
    """Whoever connects: publishing, reading, administrating.

    asyncio leaves the socket of a handshake that failed to the garbage collector: it goes here, not in a
    test that comes later.
    """
    publisher = Publisher(kafka, "tests")

    async def read() -> None:
        async for _ in read_all(kafka, RECEIVED.name):
            raise AssertionError("it was let in")

    for refused in (publisher.start, read, lambda: ensure_topics(kafka)):
        with pytest.raises(DependencyDown) as caught:
            await refused()
        assert what in str(caught.value)
        del caught
    gc.collect()


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"CA_FILE": "/nowhere/ca.pem"}, "LISTENINGPOST_KAFKA__CA_FILE"),
        ({"CA_FILE": __file__}, "LISTENINGPOST_KAFKA__CA_FILE"),
        ({"CERT_FILE": "/nowhere/cert.pem"}, "LISTENINGPOST_KAFKA__CERT_FILE"),
        ({"SASL_USERNAME": ""}, "LISTENINGPOST_KAFKA__SASL_USERNAME"),
        ({"SASL_PASSWORD": ""}, "LISTENINGPOST_KAFKA__SASL_PASSWORD"),
    ],
)
async def test_what_is_missing_here_stops_the_process(
    secured: Secured, changed: dict[str, str], says: str
) -> None:
    kafka = secured.settings(**changed)
    with pytest.raises(ConfigurationError, match=says):
        await Publisher(kafka, "tests").start()
    with pytest.raises(ConfigurationError, match=says):
        await ensure_topics(kafka)
