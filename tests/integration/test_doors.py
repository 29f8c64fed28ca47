"""What ingest says of its doors, on a socket, to whoever shows the token."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.settings import KafkaSettings, MongoSettings
from shared.store.connection import Store
from tests.support.doors import INGEST, SLACK
from tests.support.ingest_service import INTERNAL_TOKEN, ingest

PATH = "/internal/doors"


@pytest.mark.parametrize("is_slack_open", [True, False])
async def test_ingest_says_which_doors_are_open_and_what_came_in(
    kafka: KafkaSettings, mongo: MongoSettings, store: Store, tmp_path: Path, *, is_slack_open: bool
) -> None:
    sections = INGEST if is_slack_open else {name: own for name, own in INGEST.items() if name != "slack"}
    async with ingest(kafka, mongo, store, tmp_path, **sections) as house:
        assert (await house.http.get(PATH)).status_code == 401
        assert (await house.http.post(SLACK, content=b"{}")).status_code == (401 if is_slack_open else 404)
        answer = await house.http.get(PATH, headers={"Authorization": f"Bearer {INTERNAL_TOKEN}"})
    found = {door["name"]: door for door in answer.json()["doors"]}
    slack = found["slack"]
    assert slack["open"] is is_slack_open
    assert slack["needs"] == ([] if is_slack_open else ["LISTENINGPOST_INGEST__SLACK__SIGNING_SECRET"])
    assert slack["problem"] == (None if is_slack_open else "not configured")
    assert slack["address"] == ("http://127.0.0.1:8080/v1/channels/slack/events" if is_slack_open else "")
    assert found["mail"]["address"].startswith("smtp://127.0.0.1:")
    assert answer.json()["spool"]["records"] == 0
    assert answer.json()["spool"]["free_disk_bytes"] > 0


async def test_internal_paths_are_not_in_openapi(
    kafka: KafkaSettings, mongo: MongoSettings, store: Store, tmp_path: Path
) -> None:
    async with ingest(kafka, mongo, store, tmp_path, **INGEST) as house:
        paths = (await house.http.get("/openapi.json")).json()["paths"]
    assert not any(path.startswith("/internal") for path in paths)
