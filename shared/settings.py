"""Settings every service has, and the one way to build them from the environment.

A variable is `LISTENINGPOST_<SECTION>__<FIELD>`. `load` refuses an unknown one: a typo must not silently
leave a default in force.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    Field,
    HttpUrl,
    PrivateAttr,
    SecretStr,
    ValidationError,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from shared.environment import PREFIX, EnvironmentSource, fault, in_files, unknown_variables
from shared.errors import ConfigurationError
from shared.secret_files import SecretFiles
from shared.section import Section, secret_files

#: The secret that seals who spoke in confidence, where it is a file in the secrets folder.
CONTRIBUTORS_KEY = "contributors_key"
#: The secret our own tools show to the services.
INTERNAL_TOKEN = "internal_token"  # noqa: S105 - a name

#: Settings whose file is followed, and may hold several values; so may those of secrets in sections.
_ROTATED = (CONTRIBUTORS_KEY, INTERNAL_TOKEN)


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
    _in_use: SecretStr | None = PrivateAttr(default=None)

    @property
    def password_in_use(self) -> SecretStr | None:
        """The one a broker has taken, of several; None before that was seen, see `shared/bus/login.py`."""
        return self._in_use

    def use_password(self, password: SecretStr) -> None:
        self._in_use = password


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
        description="a folder with one file per secret, named as it is, several values, one a line, while it "
        "is rotated; also of any setting, named as its variable without LISTENINGPOST_ and in small letters: "
        "`mongo__password`",
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
    _files: SecretFiles = PrivateAttr()
    #: Whether what the process started with came from the file, by name.
    _followed: dict[str, bool] = PrivateAttr(default_factory=dict)
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

    def model_post_init(self, context: Any, /) -> None:  # noqa: ANN401 - inherited
        super().model_post_init(context)
        self._files = SecretFiles(self.secrets_dir)
        for name in _ROTATED:
            at_start = getattr(self, name)
            self._followed[name] = at_start is None or at_start in self._files.values(name)
        for name, section in list(self):
            if isinstance(section, Section):
                self.__dict__[name] = section.following(self._files, f"{name}__")

    def kept(self, name: str) -> tuple[SecretStr, ...]:
        """The values of the secret `name`: the variable's, or what its file holds by now; empty for none."""
        value = self.secrets.get(name, SecretStr("")).get_secret_value().strip()
        # An empty one is none: anybody can sign with it.
        return (SecretStr(value),) if value else self._files.values(name)

    def internal_tokens(self) -> tuple[SecretStr, ...]:
        """Those that open `/internal/…`, as they are now: the variable's, or what the file holds."""
        return self._now(INTERNAL_TOKEN, self.internal_token)

    def contributors_keys(self) -> tuple[SecretStr, ...]:
        """The first seals, all of them open; the last makes codenames and the ledger of erasures."""
        return self._now(CONTRIBUTORS_KEY, self.contributors_key)

    def _now(self, name: str, at_start: SecretStr | None) -> tuple[SecretStr, ...]:
        """A variable holds for as long as the process, and wins over the file."""
        if self._followed[name] or at_start is None:
            return self._files.values(name)
        return (at_start,)

    def secret(self, reference: str) -> SecretStr:
        """The value behind `secret:name` to sign with; raises as `values`."""
        return self.values(reference)[0]

    def values(self, reference: str) -> tuple[SecretStr, ...]:
        """All values behind `secret:name`, the newest first, as they are now; at least one.

        Raises ConfigurationError that names where it may be set.
        """
        name = reference.removeprefix("secret:")
        values = self.kept(name)
        if values:
            return values
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
    unknown = unknown_variables([name.upper() for name in cls.model_fields], given)
    if unknown:
        raise ConfigurationError("; ".join(unknown))
    source = EnvironmentSource(cls)
    rotated = {*_ROTATED, *secret_files(cls.model_fields)}
    told = {**in_files(cls.model_fields, given.get(f"{PREFIX}SECRETS_DIR"), rotated), **given}
    source.env_vars = {variable.lower(): value for variable, value in told.items()}
    try:
        return cls.model_validate(source())
    except ValidationError as error:
        raise ConfigurationError(
            "; ".join(fault(each) for each in error.errors(include_input=False))
        ) from None


__all__ = ["CommonSettings", "Section", "load"]
