"""Settings every service has, and the one way to build them from the environment.

A variable is `LISTENINGPOST_<SECTION>__<FIELD>`. `load` refuses an unknown one: a typo must not silently
leave a default in force.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.errors import ConfigurationError

PREFIX = "LISTENINGPOST_"
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
    replication_factor: int = Field(default=1, ge=1, description="of topics made by `listeningpost topics`")
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "PLAIN"
    sasl_username: str | None = None
    sasl_password: SecretStr | None = None
    ca_file: Path | None = Field(default=None, description="CA certificates for SSL; default: the system's")
    topic_prefix: str = Field(
        default="", description="put before every topic and group: several posts, one cluster"
    )
    request_timeout_ms: int = Field(default=15_000, ge=1_000)
    linger_ms: int = Field(default=5, ge=0, description="how long the producer gathers a batch")
    session_timeout_ms: int = Field(
        default=10_000, ge=1_000, description="until a silent member's work is taken over"
    )
    dead_letter_ratio: float = Field(
        default=0.5, gt=0, le=1, description="share of dead letters that stops a consumer"
    )
    dead_letter_run: int = Field(default=100, ge=1, description="dead letters in a row that stop a consumer")


class MongoSettings(Section):
    uri: SecretStr = Field(default=SecretStr("mongodb://127.0.0.1:27017/?replicaSet=listeningpost"))
    database: str = "listeningpost"
    server_selection_timeout_ms: int = Field(
        default=3_000, ge=100, description="until MongoDB counts as away"
    )


class HttpSettings(Section):
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65_535, description="0 takes a free one")


class LogSettings(Section):
    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "json", "console"] = Field(
        default="auto", description="auto: console on a terminal"
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
    secrets: dict[str, SecretStr] = Field(
        default={}, description="what `secret:name` in the directory refers to"
    )
    secrets_dir: Path | None = Field(
        default=None, description="a folder with one file per secret, named as it is"
    )
    contributors_key: SecretStr | None = Field(
        default=None,
        description="Fernet key that seals who spoke in confidence; the same for ingest and notifier",
    )
    public_url: HttpUrl | None = Field(default=None, description="where people reach this installation")

    def secret(self, reference: str) -> SecretStr:
        """The value behind `secret:name`; raises ConfigurationError that names where it may be set."""
        name = reference.removeprefix("secret:")
        if name in self.secrets:
            return self.secrets[name]
        if self.secrets_dir is not None and (self.secrets_dir / name).is_file():
            return SecretStr((self.secrets_dir / name).read_text(encoding="utf-8").strip())
        variable = f"{PREFIX}SECRETS__{name.upper()}"
        msg = f"the secret {name!r} is not set; set {variable} or put it into the secrets folder"
        raise ConfigurationError(msg)


AnySettings = TypeVar("AnySettings", bound=CommonSettings)


def load(cls: type[AnySettings], environ: Mapping[str, str] | None = None) -> AnySettings:
    """Build `cls` from the environment; raises ConfigurationError with one line a fault, never a value."""
    unknown = _unknown_variables(cls, os.environ if environ is None else environ)
    if unknown:
        raise ConfigurationError("; ".join(unknown))
    try:
        return cls() if environ is None else cls.model_validate(_nested(environ))
    except ValidationError as error:
        raise ConfigurationError(
            "; ".join(_fault(fault) for fault in error.errors(include_input=False))
        ) from None


def _fault(fault: Any) -> str:  # noqa: ANN401 - pydantic's ErrorDetails is a plain dict
    return f"{PREFIX}{'__'.join(str(part).upper() for part in fault['loc'])}: {fault['msg']}"


def _unknown_variables(cls: type[CommonSettings], environ: Mapping[str, str]) -> list[str]:
    known = {name.upper() for name in cls.model_fields}
    faults = []
    for variable in environ:
        if not variable.startswith(PREFIX):
            continue
        section = variable.removeprefix(PREFIX).partition("__")[0]
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


def _nested(environ: Mapping[str, str]) -> dict[str, Any]:
    """Variables as the nested mapping pydantic validates, for callers that hold their own environment."""
    tree: dict[str, Any] = {}
    for variable, value in environ.items():
        if not variable.startswith(PREFIX):
            continue
        *path, last = variable.removeprefix(PREFIX).lower().split("__")
        branch = tree
        for part in path:
            branch = branch.setdefault(part, {})
        branch[last] = value
    return tree
