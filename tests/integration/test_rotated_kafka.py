"""Kafka's password is changed while events are published and read without a pause: none lost, none twice."""

from __future__ import annotations

import asyncio
import itertools
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from shared.bus.admin import ensure_topics
from shared.bus.consumer import Consumer
from shared.bus.publisher import Publisher
from shared.bus.subscription import Outcome, Received, Subscription
from shared.errors import DependencyDown
from shared.events.feedback import FeedbackReceived
from shared.events.topics import RECEIVED
from shared.settings import CommonSettings, KafkaSettings, load
from tests.e2e.test_rotation import replace_file
from tests.support.certificates import Authority
from tests.support.feedback import piece
from tests.support.kafka_jars import why_unavailable
from tests.support.secured_kafka import USERNAME, SecuredKafka
from tests.support.wait import until

pytestmark = [
    pytest.mark.kafka_smoke,
    pytest.mark.timeout(240),
    pytest.mark.skipif(why_unavailable() is not None, reason=str(why_unavailable())),
]

_WITHIN_S = 60.0


@dataclass
class Flow:
    """Somebody who publishes without a pause, and what was read of it."""

    publisher: Publisher
    published: list[str] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    faults: list[Exception] = field(default_factory=list)

    async def go_on(self) -> None:
        for number in itertools.count():
            event = piece(str(number))
            try:
                await self.publisher.publish(RECEIVED, [event], within_s=_WITHIN_S)
            except DependencyDown as error:
                self.faults.append(error)
            self.published.append(event.text)

    async def read(self, batch: Sequence[Received[FeedbackReceived]]) -> Sequence[Outcome]:
        self.seen.extend(received.event.text for received in batch)
        return [Outcome.DONE] * len(batch)

    async def goes_on(self) -> None:
        """Both ways: what is published from now on is read."""
        then = len(self.published)
        await until(
            lambda: len(self.seen) >= then + 30, within_s=_WITHIN_S, what="what is published now is read"
        )


def configured(kafka: SecuredKafka, authority: Authority, folder: Path) -> KafkaSettings:
    variables = {
        "KAFKA__BOOTSTRAP_SERVERS": kafka.login,
        "KAFKA__SECURITY_PROTOCOL": "SASL_SSL",
        "KAFKA__SASL_MECHANISM": "SCRAM-SHA-512",
        "KAFKA__SASL_USERNAME": USERNAME,
        "KAFKA__CA_FILE": str(authority.file),
        "KAFKA__SESSION_TIMEOUT_MS": "6000",
        "SECRETS_DIR": str(folder),
    }
    return load(CommonSettings, {f"LISTENINGPOST_{name}": value for name, value in variables.items()}).kafka


async def test_the_password_is_changed_under_load(tmp_path: Path) -> None:
    certificates, folder = tmp_path / "certificates", tmp_path / "secrets"
    certificates.mkdir()
    folder.mkdir()
    authority = Authority("authority", certificates)
    old, new = secrets.token_urlsafe(16), secrets.token_urlsafe(16)
    file = folder / "kafka__sasl_password"
    replace_file(file, old)
    async with SecuredKafka(authority, old) as kafka:
        settings = configured(kafka, authority, folder)
        await ensure_topics(settings)
        publisher = Publisher(settings, "tests")
        await publisher.start()
        flow = Flow(publisher)
        consumer = Consumer(settings, [Subscription(RECEIVED, "classifier", flow.read)], publisher, "tests")
        await consumer.start()
        publishing = asyncio.create_task(flow.go_on())
        try:
            await flow.goes_on()
            first, joined = publisher._producer, consumer._brokers
            replace_file(file, new, old)
            await flow.goes_on()
            assert publisher._producer is first, "the broker does not know the new one yet"
            await kafka.change_password(new)
            await until(
                lambda: publisher._producer is not first and consumer._brokers not in ([], joined),
                within_s=_WITHIN_S,
                what="both log in anew",
            )
            replace_file(file, new)
            await flow.goes_on()
        finally:
            publishing.cancel()
            await asyncio.wait([publishing])
        assert publishing.cancelled(), publishing.exception()
        assert not flow.faults
        await until(
            lambda: set(flow.published) <= set(flow.seen), within_s=_WITHIN_S, what="all of it is read"
        )
        assert len(flow.seen) == len(set(flow.seen))
        assert consumer.problem() is None
        assert settings.password_in_use is not None
        assert settings.password_in_use.get_secret_value() == new
        await consumer.stop()
        await publisher.stop()
