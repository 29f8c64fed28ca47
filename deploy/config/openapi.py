"""Writes docs/openapi.json: every door that speaks HTTP, all of them open. `python -m deploy.config.openapi`.

A running ingest has the same at /openapi.json, with the doors that are open there.
"""

from __future__ import annotations

import json
import sys
from importlib import metadata
from typing import Any

from cryptography.fernet import Fernet

from services.ingest.app import create_app
from services.ingest.settings import IngestSettings

#: What it takes to open every door; nothing of it is in the document.
_ALL_OPEN = {
    "slack": {"signing_secret": "opens-the-door"},
    "zendesk": {"signing_secrets": ["opens-the-door"]},
    "mail": {"port": 2525, "mailboxes": [{"address": "feedback@company.example"}]},
}


def document() -> dict[str, Any]:
    """OpenAPI as FastAPI has it. Nothing is connected to: what is not started touches nothing."""
    settings = IngestSettings.model_validate(
        {"contributors_key": Fernet.generate_key().decode(), "ingest": _ALL_OPEN}
    )
    found: dict[str, Any] = create_app(settings).http.openapi()
    found["info"]["version"] = metadata.version("listeningpost")
    return found


def render() -> str:
    """The whole file."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(render())
