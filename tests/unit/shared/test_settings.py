from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import Field, SecretStr, ValidationError

from shared.errors import ConfigurationError
from shared.settings import CommonSettings, Section, load


class Door(Section):
    port: int | None = Field(default=None, ge=0, le=65_535)
    addresses: tuple[str, ...] = ()
    hints: dict[str, str] = Field(default={})
    token: SecretStr | None = None


class HouseSection(Section):
    door: Door = Door()
    floors: int = 1


class HouseSettings(CommonSettings):
    ingest: HouseSection = HouseSection()


def read(**variables: str) -> HouseSettings:
    return load(HouseSettings, {f"LISTENINGPOST_{name}": value for name, value in variables.items()})


def fault(**variables: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        read(**variables)
    return str(caught.value)


def test_without_variables_there_are_the_defaults() -> None:
    settings = read()
    assert settings.kafka.bootstrap_servers == "127.0.0.1:9092"
    assert settings.kafka.idempotence
    assert settings.ingest.door.port is None


def test_two_underscores_lead_into_a_section_and_case_does_not_matter() -> None:
    settings = load(
        HouseSettings,
        {"LISTENINGPOST_INGEST__DOOR__PORT": "25", "LISTENINGPOST_kafka__linger_ms": "7", "HOME": "/root"},
    )
    assert settings.ingest.door.port == 25
    assert settings.kafka.linger_ms == 7


def test_lists_and_maps_are_json() -> None:
    door = read(INGEST__DOOR__ADDRESSES='["a", "b"]', INGEST__DOOR__HINTS='{"C1": "invoice"}').ingest.door
    assert door.addresses == ("a", "b")
    assert door.hints == {"C1": "invoice"}


def test_an_empty_variable_is_not_set() -> None:
    settings = read(INGEST__DOOR__PORT="", KAFKA__LINGER_MS="", CONTRIBUTORS_KEY="")
    assert settings == read()
    assert settings.contributors_key is None


def test_another_environment_than_that_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LISTENINGPOST_INGEST__FLOORS", "9")
    monkeypatch.setenv("LISTENINGPOST_LOG__LEVEL", "debug")
    assert load(HouseSettings).ingest.floors == 9
    assert read(LOG__LEVEL="error").ingest.floors == 1
    assert HouseSettings().log.level == "info"


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("KAFKA__LINGER_MS", "s3cret", "LISTENINGPOST_KAFKA__LINGER_MS: Input should be a valid integer"),
        ("INGEST__DOOR__PORT", "70000", "LISTENINGPOST_INGEST__DOOR__PORT: Input should be less than"),
        ("LOG__LEVEL", "s3cret", "LISTENINGPOST_LOG__LEVEL: Input should be 'debug', 'info'"),
        ("PUBLIC_URL", "s3cret", "LISTENINGPOST_PUBLIC_URL: Input should be a valid URL"),
        ("INGEST__DOOR__ADDRESSES", "s3cret", "LISTENINGPOST_INGEST__DOOR__ADDRESSES: should be a JSON list"),
        ("INGEST__DOOR__HINTS", "{s3cret", "LISTENINGPOST_INGEST__DOOR__HINTS: should be a JSON object"),
        ("KAFKA", "s3cret", "LISTENINGPOST_KAFKA: should be a JSON object"),
        ("KAFKA__IDEMPOTENT", "s3cret", "LISTENINGPOST_KAFKA__IDEMPOTENT: is not a setting"),
        ("KAFKKA__LINGER_MS", "s3cret", "did you mean LISTENINGPOST_KAFKA…?"),
        ("XYZ", "s3cret", "LISTENINGPOST_XYZ is not a setting"),
    ],
)
def test_a_fault_names_the_variable_and_never_its_value(variable: str, value: str, says: str) -> None:
    message = fault(**{variable: value})
    assert says in message
    assert f"LISTENINGPOST_{variable}" in message
    assert value not in message
    assert "\n" not in message


def test_all_faults_are_told_at_once() -> None:
    message = fault(KAFKA__LINGER_MS="x", LOG__LEVEL="loud")
    assert "KAFKA__LINGER_MS" in message
    assert "LOG__LEVEL" in message


@pytest.mark.parametrize(
    "variable", ["CLASSIFIER__ENGINE", "NOTIFIER__EMAIL__HOST", "CLI__KEY", "TEST_KAFKA", "FAILPOINT"]
)
def test_what_others_read_is_no_fault(variable: str) -> None:
    assert read(**{variable: "anything"}) == read()


def test_settings_are_frozen_and_show_no_secret() -> None:
    settings = read(INGEST__DOOR__TOKEN="s3cret", MONGO__URI="mongodb://user:s3cret@db/")
    with pytest.raises(ValidationError):
        settings.log = settings.log  # type: ignore[misc]
    assert "s3cret" not in repr(settings)
    assert "s3cret" not in settings.model_dump_json()


def test_a_secret_is_found_in_the_environment_before_the_folder(tmp_path: Path) -> None:
    (tmp_path / "slack_token").write_text("from the file\n", encoding="utf-8")
    (tmp_path / "webhook").write_text("whsec\n", encoding="utf-8")
    settings = read(SECRETS_DIR=str(tmp_path), SECRETS__SLACK_TOKEN="from the environment")
    assert settings.secret("secret:slack_token").get_secret_value() == "from the environment"
    assert settings.secret("secret:webhook").get_secret_value() == "whsec"


def test_any_setting_may_be_a_file_of_the_secrets_folder(tmp_path: Path) -> None:
    (tmp_path / "mongo__password").write_text("from the file\n", encoding="utf-8")
    (tmp_path / "kafka__retention_days").write_text('{"feedback.received.v1": 3}', encoding="utf-8")
    (tmp_path / "notifier__email__password").write_text("of another", encoding="utf-8")
    settings = read(SECRETS_DIR=str(tmp_path))
    assert settings.mongo.password == SecretStr("from the file")
    assert settings.kafka.retention_days == {"feedback.received.v1": 3}
    assert read(SECRETS_DIR=str(tmp_path), MONGO__PASSWORD="set").mongo.password == SecretStr("set")


def test_a_wrong_file_of_the_secrets_folder_is_named_and_not_shown(tmp_path: Path) -> None:
    (tmp_path / "mongo__pasword").write_text("s3cret", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="LISTENINGPOST_MONGO__PASWORD: is not a setting") as refused:
        read(SECRETS_DIR=str(tmp_path))
    assert "s3cret" not in str(refused.value)


def test_a_missing_secret_says_where_it_may_be_set() -> None:
    with pytest.raises(ConfigurationError, match="LISTENINGPOST_SECRETS__SLACK_TOKEN"):
        read().secret("secret:slack_token")
