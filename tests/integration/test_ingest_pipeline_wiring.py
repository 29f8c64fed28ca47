"""The service as it is put together: its doors open without Kafka, and it says what it cannot do."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from services.ingest.app import create_app
from services.ingest.settings import IngestSection, IngestSettings, SpoolSettings
from shared import clock
from shared.errors import ConfigurationError
from shared.settings import KafkaSettings, MongoSettings
from shared.store.connection import Store
from shared.store.directory import DirectoryStore
from tests.support.submissions import WORKSPACE
from tests.support.wait import until

NOWHERE = KafkaSettings(bootstrap_servers="127.0.0.1:1", idempotence=False)
KEY = SecretStr(Fernet.generate_key().decode())


def settings(mongo: MongoSettings, directory: Path, key: SecretStr | None = KEY) -> IngestSettings:
    return IngestSettings(
        kafka=NOWHERE,
        mongo=mongo,
        contributors_key=key,
        ingest=IngestSection(spool=SpoolSettings(directory=directory)),
    )


async def test_it_is_ready_without_kafka(mongo: MongoSettings, store: Store, tmp_path: Path) -> None:
    await DirectoryStore(store).propose(WORKSPACE, "tests", expected=0, now=clock.now())
    service = create_app(settings(mongo, tmp_path))
    try:
        for component in service.components:
            await component.start()
            service.started.append(component)
        assert set(service.problems()) <= service.tolerates == {"kafka", "mongodb", "consumer"}
        assert service.problems()["kafka"]
    finally:
        for component in reversed(service.started):
            await component.stop()
    await until(lambda: not list(tmp_path.iterdir()), within_s=5, what="an empty spool leaves nothing behind")


@pytest.mark.parametrize("key", [None, SecretStr("not a key")])
def test_it_does_not_start_where_nobody_could_speak_in_confidence(
    mongo: MongoSettings, tmp_path: Path, key: SecretStr | None
) -> None:
    with pytest.raises(ConfigurationError, match="LISTENINGPOST_CONTRIBUTORS_KEY") as refused:
        create_app(settings(mongo, tmp_path, key))
    assert "not a key" not in str(refused.value)
