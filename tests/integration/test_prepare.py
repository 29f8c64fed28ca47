"""What `docker compose` runs once before the services, on this run's servers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from deploy.docker.prepare import make_key, make_token, prepare, share_token
from deploy.embedded.ports import lease_port
from shared.bus.admin import describe
from shared.errors import DependencyDown
from shared.settings import CommonSettings, KafkaSettings, MongoSettings, load
from shared.store.connection import Store
from shared.store.owners import COLLECTIONS


@pytest.fixture
def closed_port() -> Iterator[int]:
    lease = lease_port()
    yield lease.port
    lease.release()


async def test_the_servers_are_ready_and_it_may_be_repeated(kafka: KafkaSettings, store: Store) -> None:
    settings = CommonSettings(
        kafka=kafka.model_copy(update={"topic_prefix": f"{kafka.topic_prefix}again."}), mongo=store._settings
    )
    for _ in range(2):
        await prepare(settings, member=None, within_s=30)
    assert all(state.partitions == state.declared_partitions for state in await describe(settings.kafka))
    assert {spec.name for spec in COLLECTIONS} <= set(await store.db.list_collection_names())


@pytest.mark.parametrize("initiates", [False, True])
async def test_a_server_that_does_not_come_is_named(closed_port: int, *, initiates: bool) -> None:
    address = f"127.0.0.1:{closed_port}"
    uri = SecretStr(f"mongodb://{address}/?directConnection=true")
    settings = CommonSettings(mongo=MongoSettings(uri=uri, server_selection_timeout_ms=100))
    with pytest.raises(DependencyDown, match=r"mongodb is not reachable|not ready within"):
        await prepare(settings, member=address if initiates else None, within_s=0.5)


def test_the_key_for_confidences_is_made_once_and_read_without_a_variable(tmp_path: Path) -> None:
    environment = {"LISTENINGPOST_SECRETS_DIR": str(tmp_path)}
    assert load(CommonSettings, environment).contributors_key is None
    assert make_key(tmp_path)
    first = load(CommonSettings, environment).contributors_key
    assert not make_key(tmp_path)
    assert load(CommonSettings, environment).contributors_key == first is not None
    environment["LISTENINGPOST_CONTRIBUTORS_KEY"] = "of our own"
    assert load(CommonSettings, environment).contributors_key == SecretStr("of our own")


def test_the_tools_token_is_made_once_and_shared_without_the_key_for_confidences(tmp_path: Path) -> None:
    secrets, shared = tmp_path / "secrets", tmp_path / "token"
    secrets.mkdir()
    shared.mkdir()
    make_key(secrets)
    assert make_token(secrets)
    assert not make_token(secrets)
    settings = load(CommonSettings, {"LISTENINGPOST_SECRETS_DIR": str(secrets)})
    for _ in range(2):
        share_token(settings, shared)
    with_the_token = load(CommonSettings, {"LISTENINGPOST_SECRETS_DIR": str(shared)})
    assert with_the_token.internal_token == settings.internal_token is not None
    assert with_the_token.contributors_key is None
    assert [file.name for file in shared.iterdir()] == ["internal_token"]
