"""What is stored of a piece does not depend on whether it came alone, in a batch or in an imported file."""

from __future__ import annotations

import asyncio
import base64
import csv
import json
import os
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from services.classifier.app import create_app
from services.classifier.settings import ClassifierSettings
from shared import clock
from shared.domain.api_key import Scope
from shared.settings import KafkaSettings, MongoSettings
from shared.store.api_keys import ApiKeyStore
from shared.store.connection import Store
from shared.store.directory import DirectoryStore
from shared.store.owners import FEEDBACK
from tests.support.doors import INGEST
from tests.support.ingest_service import Ingest, ingest
from tests.support.tagger import example
from tests.support.wait import until

pytestmark = pytest.mark.timeout(120)
Row = dict[str, Any]
Documents = dict[str, dict[str, Any]]
#: When something happened here, not what was said.
_OF_THE_MOMENT = ("received_at", "classified_at")
_SAID_AT = "2026-05-04T09:30:00+02:00"
_IMPORT = (sys.executable, "-c", "from deploy.cli.main import main; main()", "import", "--yes", "--json")

ROWS: list[Row] = [
    {"external_id": "plain", "text": "The invoice finally shows what each line is for. Keep it!"},
    {"external_id": "dated", "text": "Die Rechnung ist unverständlich.", "occurred_at": _SAID_AT},
    {"external_id": "versioned", "text": "Nobody at the hotline could help us.", "revision": 7},
    {"text": "No id, but a time: on croit rêver, la facture est fausse.", "occurred_at": _SAID_AT},
    {
        "external_id": "untidy",
        "title": "  A   title ",
        "text": "e\u0301tat\r\n\r\n\r\n\r\nof  things \u00a0 \n\ttrailing   ",
    },
    {
        "external_id": "careless",
        "text": "My card 4111 1111 1111 1111 was refused, password: hunter2 and https://a:bcd@x.example/",
    },
    {
        "external_id": "from somebody",
        "text": "I really like how THEY manage the creation of accounts",
        "author": {"email": "Sam@Nowhere.Example", "name": "Sam Stranger"},
        "thread_id": "T 1",
        "url": "https://forum.example/t/1",
        "rating": {"value": 2.0, "min": 1.0, "max": 5.0, "kind": "stars"},
        "touchpoint": "bill",
    },
    {
        "external_id": "in confidence",
        "text": "Between us, says Kim Nowhere: the new tariff is a trap.",
        "author": {"email": "kim@nowhere.example", "name": "Kim Nowhere"},
        "confidential": True,
    },
    {"external_id": "long", "text": "The quote took a month." + " ." * 30_000},
]
#: What no table has.
MORE: list[Row] = [
    {
        "external_id": "with a file",
        "text": "See the log",
        "attachments": [{"name": "../a.log", "content": base64.b64encode(b"it failed").decode()}],
    },
    {"external_id": "only a file", "attachments": [{"name": "b.log", "content": "aXQgZmFpbGVk"}]},
    {"external_id": "tested", "text": "Is anybody there?", "mode": "test"},
]


@dataclass(frozen=True, slots=True)
class House:
    """Ingest and classifier at work."""

    door: Ingest
    store: Store
    token: str
    folder: Path

    async def post(self, content: bytes, media_type: str = "application/json") -> None:
        headers = {"authorization": f"Bearer {self.token}", "content-type": media_type}
        answer = await self.door.http.post("/v1/feedback", content=content, headers=headers)
        assert answer.status_code == 202, answer.text

    async def singly(self, rows: Sequence[Row]) -> Documents:
        for row in rows:
            await self.post(json.dumps(row).encode())
        return await self.stored(len(rows))

    async def imported(self, rows: Sequence[Row]) -> str:
        """The id of the import of a file with these rows."""
        flat = [_flat(row) for row in rows]
        with (self.folder / "rows.csv").open("w", encoding="utf-8", newline="") as file:
            table = csv.DictWriter(file, sorted({name for row in flat for name in row}))
            table.writeheader()
            table.writerows(flat)
        maps = [f"--map={name}={name}" for name in table.fieldnames]
        where = ("--url", str(self.door.http.base_url), "--key", self.token)
        process = await asyncio.create_subprocess_exec(
            *(*_IMPORT, *where, *maps, "--scale=1-5", "rows.csv"),
            stdout=asyncio.subprocess.PIPE,
            cwd=self.folder,
            env={name: value for name, value in os.environ.items() if not name.startswith("LISTENINGPOST_")},
        )
        out, _ = await process.communicate()
        told = json.loads(out)
        assert (process.returncode, told["accepted"]) == (0, len(rows)), told
        return str(told["import"])

    async def stored(self, count: int) -> Documents:
        """All documents, once there are so many; none is there afterwards, and the next ones are new."""
        feedback = self.store.collection(FEEDBACK.name)

        async def found() -> Sequence[dict[str, Any]]:
            documents = await feedback.find().to_list(None)
            return documents if len(documents) >= count else ()

        documents = await until(found, within_s=30, what=f"{count} pieces are stored")
        await feedback.delete_many({})
        return {document["_id"]: _lasting(document) for document in documents}


def _flat(row: Row) -> dict[str, str]:
    """As a row of a table: a person's parts are columns, a rating is its value."""
    flat = {**row, **{f"author.{name}": value for name, value in row.get("author", {}).items()}}
    flat.pop("author", None)
    if "rating" in row:
        flat["rating"] = row["rating"]["value"]
    return {name: str(value) for name, value in flat.items()}


def _lasting(document: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in document.items() if name not in _OF_THE_MOMENT}
    arrived = document["received_at"]
    # What states neither is as old as it is here.
    if kept["revision"] == clock.to_us(arrived):
        kept["revision"] = "the time of arrival"
    if kept["occurred_at"] == arrived:
        kept["occurred_at"] = "the time of arrival"
    kept["tags"] = _rounded(kept["tags"])
    return kept


def _rounded(value: Any) -> Any:  # noqa: ANN401 - whatever is stored
    """Of a score the last digits depend on the batch it was worked out in (see `Tagger.tag`)."""
    if isinstance(value, dict):
        return {name: _rounded(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_rounded(each) for each in value]
    return round(value, 6) if isinstance(value, float) else value


@pytest_asyncio.fixture
async def house(
    kafka: KafkaSettings, mongo: MongoSettings, store: Store, tmp_path: Path
) -> AsyncIterator[House]:
    await DirectoryStore(store).propose(example().workspace, "tests", expected=0, now=clock.now())
    scopes = [Scope.WRITE, Scope.TEST, Scope.IMPORT]
    _, token = await ApiKeyStore(store).create("old tool", scopes, now=clock.now())
    classifier = create_app(ClassifierSettings.model_validate({"kafka": kafka, "mongo": mongo}))
    async with ingest(kafka, mongo, store, tmp_path / "spool", **INGEST) as door:
        started = []
        try:
            for component in classifier.components:
                await component.start()
                started.append(component)
            folder = tmp_path / "files"
            folder.mkdir()
            yield House(door, store, token, folder)
        finally:
            for component in reversed(started):
                await component.stop()


@pytest.mark.parametrize(
    ("media_type", "join"),
    [
        pytest.param("application/x-ndjson", b"\n".join, id="NDJSON"),
        pytest.param("application/json", lambda lines: b"[" + b",".join(lines) + b"]", id="an array"),
    ],
)
async def test_the_stored_result_of_a_batch_equals_single_posts_of_the_same_rows(
    house: House, media_type: str, join: Callable[[list[bytes]], bytes]
) -> None:
    rows = [*ROWS, *MORE]
    alone = await house.singly(rows)
    await house.post(join([json.dumps(row).encode() for row in rows]), media_type)
    assert await house.stored(len(rows)) == alone


async def test_the_stored_result_of_an_import_equals_single_posts_of_the_same_rows(house: House) -> None:
    named = await house.imported(ROWS)
    imported = await house.stored(len(ROWS))
    what_an_import_says = {"mode": "import", "batch": named, "source": "rows"}
    assert await house.singly([row | what_an_import_says for row in ROWS]) == imported
