"""The `import` command in a process of its own, into a real ingest, on this run's servers."""

from __future__ import annotations

import asyncio
import csv
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared import clock
from shared.domain.api_key import Scope
from shared.domain.import_run import ImportRun
from shared.events.feedback import FeedbackReceived
from shared.events.topics import RECEIVED_BULK
from shared.settings import KafkaSettings, MongoSettings
from shared.store.api_keys import ApiKeyStore
from shared.store.connection import Store
from shared.store.imports import ImportStore
from tests.support.doors import INGEST
from tests.support.ingest_service import Ingest, ingest

REST = {"max_body_bytes": 8_000_000, "max_items": 10_000}
_SCRIPT = "from deploy.cli.main import main; main()"


@dataclass(frozen=True, slots=True)
class Done:
    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class Importer:
    """Types the command, as its own process."""

    house: Ingest
    store: Store
    token: str
    folder: Path

    @property
    def url(self) -> str:
        return str(self.house.http.base_url)

    async def begin(self, *arguments: str, script: str = _SCRIPT) -> asyncio.subprocess.Process:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("LISTENINGPOST_")}
        env = {"LISTENINGPOST_CLI__INGEST_URL": self.url, "LISTENINGPOST_CLI__IMPORT_KEY": self.token}
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", script, "import", *arguments),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=self.folder,
            env={**kept, **env, "NO_COLOR": "1"},
        )

    async def run(self, *arguments: str, script: str = _SCRIPT) -> Done:
        """`script` runs the command, and may do something besides."""
        process = await self.begin(*arguments, script=script)
        out, err = await process.communicate()
        assert process.returncode is not None
        return Done(process.returncode, out.decode(), err.decode())

    async def json(self, *arguments: str, code: int = 0) -> Any:  # noqa: ANN401 - whatever JSON it is
        done = await self.run(*arguments, "--json")
        assert done.code == code, done
        return json.loads(done.out)

    async def events(self) -> list[FeedbackReceived]:
        return await self.house.events(RECEIVED_BULK.name)

    async def ids(self) -> set[str]:
        return {event.feedback_id for event in await self.events()}

    async def runs(self) -> list[ImportRun]:
        return await ImportStore(self.store).newest()


@asynccontextmanager
async def importing(
    kafka: KafkaSettings, mongo: MongoSettings, store: Store, directory: Path
) -> AsyncIterator[Importer]:
    """Files are taken from `directory`/files, as somebody who may import and nothing else."""
    _, token = await ApiKeyStore(store).create("old tool", [Scope.IMPORT], now=clock.now())
    folder = directory / "files"
    folder.mkdir()
    async with ingest(kafka, mongo, store, directory / "spool", **{**INGEST, "rest": REST}) as house:
        yield Importer(house, store, token, folder)


def table(path: Path, rows: list[tuple[str, ...]], delimiter: str = ",") -> str:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)
    return path.name


def many(path: Path, count: int) -> str:
    """Every hundredth row is equal to the one before: they are two all the same."""
    rows = [
        (f"Row {n - (n % 100 == 0)} says that the bill is wrong", "2026-05-04") for n in range(1, count + 1)
    ]
    return table(path, [("comment", "date"), *rows])
