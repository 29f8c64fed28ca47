"""Asks a service over its `/internal/…`, with the service token."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import httpx
from pydantic import HttpUrl

from deploy.cli.output import ExitCode, Failed
from deploy.cli.settings import CliSettings

_WITHIN_S = 30.0
_TOKEN = "LISTENINGPOST_INTERNAL_TOKEN"  # noqa: S105 - a name


def url_of(where: CliSettings, service: str) -> HttpUrl | None:
    """Where the service listens; None where no setting says so."""
    return {
        "ingest": where.cli.ingest_url,
        "classifier": where.cli.classifier_url,
        "notifier": where.cli.notifier_url,
        "console": where.cli.console_url,
    }[service]


async def ask(where: CliSettings, service: str, route: str, body: bytes | None = None) -> Any:  # noqa: ANN401 - JSON
    """What the service answers to `route` ("GET /internal/doors").

    Raises Failed: no address or token here (2), no answer (3), refused (1).
    """
    url, token = url_of(where, service), where.internal_token
    if url is None:
        variable = f"LISTENINGPOST_CLI__{service.upper()}_URL"
        raise Failed(f"nothing says where the {service} is", f"set {variable}", ExitCode.USAGE)
    if token is None or not token.get_secret_value():
        remedy = f"set {_TOKEN} to the same value as the services'"
        raise Failed("there is no token that the services would know us by", remedy, ExitCode.USAGE)
    method, _, path = route.partition(" ")
    address = f"{str(url).rstrip('/')}{path}"
    headers = {"Authorization": f"Bearer {token.get_secret_value()}"}
    try:
        async with httpx.AsyncClient(timeout=_WITHIN_S) as client:
            answer = await client.request(method, address, content=body, headers=headers)
    except httpx.TransportError as error:
        failure = type(error).__name__
        raise Failed(
            f"{address} does not answer ({failure})", f"is the {service} running?", ExitCode.UNREACHABLE
        ) from None
    return _read(answer, service, address)


def _read(answer: httpx.Response, service: str, address: str) -> Any:  # noqa: ANN401 - JSON
    try:
        document = answer.json()
    except ValueError:
        document = {}
    if answer.is_success:
        return document
    if answer.status_code == HTTPStatus.NOT_FOUND:
        remedy = "is it the release of this command? `listeningpost doctor` compares them"
        raise Failed(f"{address} is not known to the {service}", remedy)
    said = document.get("detail", f"status {answer.status_code}") if isinstance(document, dict) else ""
    remedy = document.get("remedy", "") if isinstance(document, dict) else ""
    away = answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR
    raise Failed(f"the {service} says: {said}", remedy, ExitCode.UNREACHABLE if away else ExitCode.FOUND)
