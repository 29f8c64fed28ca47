"""Settings every service has, and the one way to build them from the environment.

A variable is `LISTENINGPOST_<SECTION>__<FIELD>`. `load` refuses an unknown one: a typo must not silently
leave a default in force.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from shared.errors import ConfigurationError

PREFIX = "LISTENINGPOST_"
#: The secret that seals who spoke in confidence, where it is a file in the secrets folder.
CONTRIBUTORS_KEY = "contributors_key"
#: The secret our own tools show to the services.
INTERNAL_TOKEN = "internal_token"  # noqa: S105 - a name
#: Sections of others (services, command line, tests): legal in a shared environment, read by their owners.
_SECTIONS_ELSEWHERE = ("INGEST", "CLASSIFIER", "NOTIFIER", "CONSOLE", "CLI", "EMBEDDED", "TEST")
#: Read by `shared/telemetry/failpoints.py` alone.
_STANDALONE = ("FAILPOINT",)


class Section(BaseModel):
    """A group of settings: `LISTENINGPOST_KAFKA__IDEMPOTENCE` is field `idempotence` of section `kafka`."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class KafkaSettings(Section):
    bootstrap_servers: str = Field(
        default="127.0.0.1:9092", description="host:port, several separated by commas"
    )
    idempotence: bool = Field(
        default=True, description="idempotent producer; the embedded broker cannot do it"
    )
    delete_records: bool = Field(
        default=True,
        description="how an erasure takes dead letters out; the embedded broker cannot, and its topic is "
        "made anew",
    )
    replication_factor: int = Field(default=1, ge=1, description="of topics made by `listeningpost topics`")
    retention_days: dict[str, Annotated[int, Field(ge=1, le=7)]] = Field(
        default={}, description="JSON, topic to days, for `listeningpost topics`; default, and most: 7"
    )
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        default="PLAINTEXT", description="how the brokers are spoken to"
    )
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        default="PLAIN", description="how we log in, with one of the SASL protocols"
    )
    sasl_username: str | None = Field(default=None, description="as whom we log in")
    sasl_password: SecretStr | None = Field(default=None, description="and its password")
    ca_file: Path | None = Field(default=None, description="CA certificates for SSL; default: the system's")
    cert_file: Path | None = Field(
        default=None, description="our certificate, where the brokers ask for one; PEM"
    )
    key_file: Path | None = Field(
        default=None, description="its key; PEM, without a password; default: in the same file"
    )
    topic_prefix: str = Field(
        default="", description="put before every topic and group: several posts, one cluster"
    )
    request_timeout_ms: int = Field(
        default=15_000, ge=1_000, description="until a broker that does not answer counts as away"
    )
    linger_ms: int = Field(default=5, ge=0, description="how long the producer gathers a batch")
    session_timeout_ms: int = Field(
        default=10_000, ge=1_000, description="until a silent member's work is taken over"
    )
    dead_letter_ratio: float = Field(
        default=0.5, gt=0, le=1, description="share of dead letters that stops a consumer"
    )
    dead_letter_run: int = Field(default=100, ge=1, description="dead letters in a row that stop a consumer")


class MongoSettings(Section):
    uri: SecretStr = Field(
        default=SecretStr("mongodb://127.0.0.1:27017/?replicaSet=listeningpost"),
        description="of a replica set, name and password included where it asks for them",
    )
    password: SecretStr | None = Field(
        default=None, description="of the name in the address, where that has none: so it can be in a file"
    )
    database: str = Field(default="listeningpost", description="several posts, one server")
    server_selection_timeout_ms: int = Field(
        default=3_000, ge=100, description="until MongoDB counts as away"
    )


class HttpSettings(Section):
    host: str = Field(default="127.0.0.1", description="the address to listen at; 0.0.0.0 is all of them")
    port: int = Field(default=8080, ge=0, le=65_535, description="0 takes a free one")
    drain_s: float = Field(
        default=0,
        ge=0,
        le=8,
        description="told to stop, so long it still answers while /readyz says that it stops: for a proxy to "
        "notice, which asks more often than that",
    )


class LogSettings(Section):
    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="the least that is logged"
    )
    format: Literal["auto", "json", "console"] = Field(
        default="auto", description="auto: console on a terminal"
    )


class TracingSettings(Section):
    """Where traces go (OpenTelemetry). Give every service the same: what one samples, the others follow."""

    otlp_endpoint: HttpUrl | None = Field(
        default=None, description="OTLP over HTTP, mostly http://HOST:4318; default: nothing is traced"
    )
    sample_ratio: float = Field(default=0.1, ge=0, le=1, description="of the traces that begin with us")
    timeout_s: float = Field(default=5.0, gt=0, le=60, description="then what was to be sent is dropped")


class RetentionSettings(Section):
    """How long what is of people is kept; jobs in the services see to it. Topics: `KAFKA__RETENTION_DAYS`."""

    feedback_days: int | None = Field(
        default=None, ge=30, description="pieces, with their tags and attachments; default: for ever"
    )
    anonymise_after_months: int | None = Field(
        default=None,
        ge=1,
        description="then a piece keeps its words and tags, but no names, addresses, links or attachments; "
        "default: never",
    )
    contributors_days: int = Field(
        default=400, ge=1, description="who spoke in confidence: afterwards nobody can answer them"
    )
    deliveries_days: int = Field(default=400, ge=8, description="who was told what, when")
    quarantine_days: int = Field(default=90, ge=1, description="what is no feedback, or could not be read")
    imports_days: int = Field(default=400, ge=8, description="how far each import was")
    directory_days: int | None = Field(
        default=None, ge=8, description="versions that are no longer in force; default: for ever"
    )


class CommonSettings(BaseSettings):
    """What every service reads. Frozen; built once, in `__main__`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True, hide_input_in_errors=True
    )

    kafka: KafkaSettings = KafkaSettings()
    mongo: MongoSettings = MongoSettings()
    http: HttpSettings = HttpSettings()
    log: LogSettings = LogSettings()
    tracing: TracingSettings = TracingSettings()
    retention: RetentionSettings = RetentionSettings()
    secrets: dict[str, SecretStr] = Field(
        default={}, description="what `secret:name` in the directory refers to"
    )
    secrets_dir: Path | None = Field(
        default=None,
        description="a folder with one file per secret, named as it is; also of any setting, named as its "
        "variable without LISTENINGPOST_ and in small letters: `mongo__password`",
    )
    contributors_key: SecretStr | None = Field(
        default=None,
        description="Fernet key that seals who spoke in confidence, the same for ingest and notifier; "
        "default: the secret `contributors_key`",
    )
    internal_token: SecretStr | None = Field(
        default=None,
        description="opens `/internal/…` of the services to our own tools, the same for all of them; "
        "default: the secret `internal_token`",
    )
    public_url: HttpUrl | None = Field(default=None, description="where people reach this installation")
    console_url: HttpUrl | None = Field(
        default=None, description="where colleagues reach the console with their browsers"
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What it is given and nothing beside it: `load` reads the environment, the process's or another."""
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        return (init_settings,)

    def secret(self, reference: str) -> SecretStr:
        """The value behind `secret:name`; raises ConfigurationError that names where it may be set."""
        name = reference.removeprefix("secret:")
        value = self.secrets.get(name, SecretStr("")).get_secret_value().strip()
        if not value and self.secrets_dir is not None and (self.secrets_dir / name).is_file():
            value = (self.secrets_dir / name).read_text(encoding="utf-8").strip()
        if value:
            # An empty one is none: anybody can sign with it.
            return SecretStr(value)
        variable = f"{PREFIX}SECRETS__{name.upper()}"
        msg = f"the secret {name!r} is not set; set {variable} or put it into the secrets folder"
        raise ConfigurationError(msg)


AnySettings = TypeVar("AnySettings", bound=CommonSettings)


def load(cls: type[AnySettings], environ: Mapping[str, str] | None = None) -> AnySettings:
    """Build `cls` from the environment, where an empty variable counts as not set, and the secrets folder.

    Raises ConfigurationError with one line that names every variable at fault, and never a value.
    """
    everything = os.environ if environ is None else environ
    given = {variable: value for variable, value in everything.items() if value}
    unknown = _unknown_variables(cls, given)
    if unknown:
        raise ConfigurationError("; ".join(unknown))
    source = _EnvironmentSource(cls)
    told = {**_in_files(cls, given.get(f"{PREFIX}SECRETS_DIR")), **given}
    source.env_vars = {variable.lower(): value for variable, value in told.items()}
    try:
        return cls.model_validate(source())
    except ValidationError as error:
        raise ConfigurationError(
            "; ".join(_fault(fault) for fault in error.errors(include_input=False))
        ) from None


def _in_files(cls: type[CommonSettings], folder: str | None) -> dict[str, str]:
    """By its variable, what a file of the secrets folder says of a setting; the other files are secrets."""
    if folder is None or not Path(folder).is_dir():
        return {}
    files = (file for file in Path(folder).iterdir() if file.name.partition("__")[0] in cls.model_fields)
    try:
        return {PREFIX + file.name.upper(): file.read_text(encoding="utf-8").strip() for file in files}
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{PREFIX}SECRETS_DIR: a file in it cannot be read ({type(error).__name__})"
        raise ConfigurationError(msg) from None


class _EnvironmentSource(EnvSettingsSource):
    """Leaves what is no JSON as it is, so that the fault found in it names the whole variable."""

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:  # noqa: ANN401 - inherited
        try:
            return super().decode_complex_value(field_name, field, value)
        except ValueError:
            return value


#: By pydantic's type of error, where its own words mean little to somebody who wrote a variable.
_SAID = {
    "tuple_type": "should be a JSON list",
    "list_type": "should be a JSON list",
    "dict_type": "should be a JSON object",
    "model_type": "should be a JSON object",
    "extra_forbidden": "is not a setting",
}


def _fault(fault: Any) -> str:  # noqa: ANN401 - pydantic's ErrorDetails is a plain dict
    variable = PREFIX + "__".join(str(part).upper() for part in fault["loc"])
    return f"{variable}: {_SAID.get(fault['type'], fault['msg'])}"


def _unknown_variables(cls: type[CommonSettings], environ: Mapping[str, str]) -> list[str]:
    known = {name.upper() for name in cls.model_fields}
    faults = []
    for variable in environ:
        if not variable.upper().startswith(PREFIX):
            continue
        section = variable.upper().removeprefix(PREFIX).partition("__")[0]
        if (
            section in known
            or section in _SECTIONS_ELSEWHERE
            or section in _STANDALONE
            or section.startswith("TEST_")
        ):
            continue
        near = difflib.get_close_matches(section, [*known, *_SECTIONS_ELSEWHERE], n=1)
        faults.append(
            f"{variable} is not a setting" + (f"; did you mean {PREFIX}{near[0]}…?" if near else "")
        )
    return faults
