"""docs/openapi.json says what ingest says of itself with every door open."""

from __future__ import annotations

from pathlib import Path

from fastapi.openapi.models import OpenAPI

from deploy.config.openapi import document, render
from services.ingest.channels import CHANNELS
from services.ingest.channels.rest import PATH

_COMMITTED = Path(__file__).parents[4] / "docs" / "openapi.json"


def test_the_committed_one_is_that_of_the_doors() -> None:
    committed = _COMMITTED.read_text(encoding="utf-8")
    assert committed == render(), "write it anew: python -m deploy.config.openapi > docs/openapi.json"


def test_it_has_the_form_of_openapi() -> None:
    read = OpenAPI.model_validate(document())
    assert read.paths
    assert read.openapi.startswith("3.1")


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
