"""Writes what our HTTP interfaces say of themselves. `python -m deploy.config.openapi [console]`.

docs/openapi.json has every door of ingest, all of them open; docs/openapi-console.json the console's API. A
running service has its own at /openapi.json, ingest with the doors that are open there.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from importlib import metadata
from typing import Any

from cryptography.fernet import Fernet
from fastapi import FastAPI

from services.console import app as console
from services.console.settings import ConsoleSettings
from services.ingest import app as ingest
from services.ingest.settings import IngestSettings
from shared.service import Service

#: What it takes to open every door; nothing of it is in the document.
_ALL_OPEN = {
    "slack": {"signing_secret": "opens-the-door"},
    "zendesk": {"signing_secrets": ["opens-the-door"]},
    "mail": {"port": 2525, "mailboxes": [{"address": "feedback@company.example"}]},
}


def _ingest() -> Service:
    settings = {"contributors_key": Fernet.generate_key().decode(), "ingest": _ALL_OPEN}
    return ingest.create_app(IngestSettings.model_validate(settings))


def _console() -> Service:
    return console.create_app(ConsoleSettings())


SERVICES: dict[str, Callable[[], Service]] = {"ingest": _ingest, "console": _console}


def document(service: str = "ingest") -> dict[str, Any]:
    """OpenAPI as FastAPI has it. Nothing is connected to: what is not started touches nothing."""
    http = SERVICES[service]().http
    assert isinstance(http, FastAPI)  # noqa: S101 - what is in SERVICES has an API to describe
    found: dict[str, Any] = http.openapi()
    found["info"]["version"] = metadata.version("listeningpost")
    return found


def render(service: str = "ingest") -> str:
    """The whole file."""
    return json.dumps(document(service), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(render(*sys.argv[1:2]))
