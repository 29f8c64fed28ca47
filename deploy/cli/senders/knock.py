"""What a sender of a self-test is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

import httpx
from pydantic import SecretStr

from deploy.cli.output import Failed
from services.ingest.settings import IngestSection
from shared.domain.api_key import Scope
from shared.domain.webhook import Webhook
from shared.domain.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Knock:
    """`http` speaks to ingest, `host` is the machine it is on, `key` an API key that may send tests.

    `nonce` is in the text; who needs an id of their own makes it of that. `keys` are made for the run, with
    one scope each; `hook` is the webhook that is meant; `secret` raises ConfigurationError.
    """

    http: httpx.AsyncClient
    host: str
    key: str
    ingest: IngestSection
    nonce: str
    keys: Mapping[Scope, str]
    secret: Callable[[str], SecretStr]
    workspace: Workspace | None = None
    hook: Webhook | None = None


def missing(variable: str) -> Failed:
    """We must sign or address as the other side does, and are not told how."""
    remedy = f"set {variable} here as well; in compose, put it into .env"
    return Failed(f"{variable} is not set where this command runs", remedy)


def taken(answer: httpx.Response, *codes: int) -> str:
    """What the door said. Raises Failed unless it is one of `codes`."""
    if answer.status_code in codes:
        return f"{answer.status_code} {HTTPStatus(answer.status_code).phrase}"
    try:
        problem = answer.json()
        detail, remedy = str(problem.get("detail", "")), str(problem.get("remedy", ""))
    except (ValueError, AttributeError):
        detail, remedy = "", ""
    raise Failed(f"answered {answer.status_code}{': ' + detail if detail else ''}", remedy)
