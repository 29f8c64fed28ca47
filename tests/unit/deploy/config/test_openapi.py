"""docs/openapi*.json say what the services say of themselves, ingest with every door open."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi.openapi.models import OpenAPI

from deploy.config.openapi import SERVICES, document, render
from services.console.api.accounts import ONE
from services.console.api.accounts import PATH as ACCOUNTS
from services.ingest.channels import CHANNELS
from services.ingest.channels.rest import PATH

_DOCS = Path(__file__).parents[4] / "docs"
_FILES = {"ingest": "openapi.json", "console": "openapi-console.json"}

each_service = pytest.mark.parametrize("service", sorted(SERVICES))


@each_service
def test_the_committed_one_is_that_of_the_service(service: str) -> None:
    file = _FILES[service]
    again = f"write it anew: python -m deploy.config.openapi {service} > docs/{file}"
    assert (_DOCS / file).read_text(encoding="utf-8") == render(service), again


@each_service
def test_it_has_the_form_of_openapi(service: str) -> None:
    read = OpenAPI.model_validate(document(service))
    assert read.paths
    assert read.openapi.startswith("3.1")


@each_service
def test_how_one_shows_who_one_is_is_declared(service: str) -> None:
    (scheme,) = document(service)["components"]["securitySchemes"].items()
    assert (scheme[0], scheme[1]["type"], scheme[1]["scheme"]) == ("apiKey", "http", "bearer")


def test_the_console_says_what_may_be_sent_and_what_is_answered() -> None:
    paths = document("console")["paths"]
    assert {path: set(found) for path, found in paths.items()} == {
        ACCOUNTS: {"get"},
        ONE: {"get", "put", "patch", "delete"},
    }
    for operation in (paths[ACCOUNTS]["get"], *paths[ONE].values()):
        assert operation["summary"]
        assert {"401", "403", "503"} <= set(operation["responses"])
    assert "412" in paths[ONE]["put"]["responses"]
    assert "application/merge-patch+json" in paths[ONE]["patch"]["requestBody"]["content"]


def test_every_door_that_speaks_http_is_in_it_and_nothing_internal() -> None:
    operations = [one for path in document()["paths"].values() for one in path.values()]
    tags = {tag for operation in operations for tag in operation["tags"]}
    assert tags == set(CHANNELS) - {"mail"}, "give deploy/config/openapi.py what opens the new door"
    assert all(operation["summary"] for operation in operations)
    assert not any(path.startswith("/internal") for path in document()["paths"])


def test_what_feedback_may_hold_and_what_is_answered_stands_there() -> None:
    operation = document()["paths"][PATH]["post"]
    assert {"202", "207", "401", "413", "503"} <= set(operation["responses"])
    assert operation["security"]
    assert operation["requestBody"]["content"]
