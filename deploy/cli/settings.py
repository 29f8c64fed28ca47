"""Where the command looks: the environment, else the stack that `listeningpost up` left a note of."""

from __future__ import annotations

import os
from collections.abc import Mapping

from pydantic import Field, HttpUrl, SecretStr

from deploy.cli import local
from deploy.cli.output import remarks
from shared.settings import CommonSettings, Section, load

#: Whoever sets one of these means a stack of their own, and never half of one and half of the other.
_OWN = ("LISTENINGPOST_KAFKA__BOOTSTRAP_SERVERS", "LISTENINGPOST_MONGO__URI", "LISTENINGPOST_CLI__INGEST_URL")


class CliSection(Section):
    ingest_url: HttpUrl = Field(
        default=HttpUrl("http://127.0.0.1:8080"), description="for `send` and `doctor`"
    )
    classifier_url: HttpUrl | None = Field(default=None, description="for `doctor`")
    notifier_url: HttpUrl | None = Field(default=None, description="for `doctor`")
    console_url: HttpUrl | None = Field(default=None, description="for `doctor`")
    key: SecretStr | None = Field(default=None, description="the API key `send` uses")
    import_key: SecretStr | None = Field(
        default=None,
        description="the API key `import` uses, with the scope feedback:import; default: the same",
    )


class CliSettings(CommonSettings):
    """What every service reads, and where the services are."""

    cli: CliSection = CliSection()


def settings() -> CliSettings:
    """Raises ConfigurationError naming the variable that is wrong. Says it where a local stack is meant."""
    note = _note()
    if note is not None:
        remarks().print(f"[dim]on the local stack started by `{note.started_by}`[/dim]")
    return load(CliSettings, environment())


def environment() -> Mapping[str, str]:
    """The variables of this process, or with them those of the local stack where none names another."""
    note = _note()
    return os.environ if note is None else {**note.env, **os.environ}


def origins() -> Mapping[str, str]:
    """Where each variable that is set comes from: the environment or the local stack."""
    note = _note()
    local_ones = dict.fromkeys(note.env, f"local stack of `{note.started_by}`") if note else {}
    return local_ones | dict.fromkeys(os.environ, "environment")


def _note() -> local.Note | None:
    return None if any(name in os.environ for name in _OWN) else local.running()
