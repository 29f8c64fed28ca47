"""A backup, the database lost, the backup restored: all is there once, and nothing is sent a second time.

On servers and services of its own, as processes; what is sent is counted where it arrives.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from deploy.embedded.ports import lease_port
from shared.store.connection import Document
from tests.load import company
from tests.load.house import House, Running
from tests.load.sink import Sink
from tests.support.choice import Stack
from tests.support.wait import until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

TOKEN = "the-token-of-this-house"
SERVICES = ("ingest", "classifier", "notifier")
GONE = "dora.doolittle@forgetme.example"
EACH = company.RECIPIENTS


@dataclass
class Scene:
    """The house, the sink, and the pieces by name."""

    house: House
    sink: Sink
    token: str
    services: dict[str, Running]
    home: Path
    pieces: dict[str, str] = field(default_factory=dict)

    @property
    def file(self) -> Path:
        return self.home / "backup.zip"

    async def start(self) -> None:
        for service in self.services.values():
            service.start()
        await asyncio.gather(*(service.ready() for service in self.services.values()))

    async def stop(self) -> None:
        await asyncio.gather(*(service.stop() for service in self.services.values()))

    async def say(self, name: str, author: str = "max@remember.example", **item: Any) -> httpx.Response:  # noqa: ANN401 - JSON
        body = {"text": f"The bill is unclear: {name}", "external_id": name, "author": {"email": author}}
        async with httpx.AsyncClient(timeout=20) as client:
            url = f"http://127.0.0.1:{self.services['ingest'].port}/v1/feedback"
            headers = {"authorization": f"Bearer {self.token}"}
            answer = await client.post(url, json=body | item, headers=headers)
        if answer.status_code == 202:
            self.pieces[name] = answer.json()["feedback_id"]
        return answer

    async def said_and_told(self, *names: str, **item: Any) -> None:  # noqa: ANN401 - JSON
        for name in names:
            assert (await self.say(name, **item)).status_code == 202
        await self.told(*names)

    async def told(self, *names: str) -> None:
        await until(lambda: self.counts(*names) == [EACH] * len(names), within_s=60, what=f"{names} are told")

    def counts(self, *names: str) -> list[int]:
        """How many notices of each piece have arrived, ever."""
        arrived = [delivery.feedback_id for delivery in self.sink.deliveries]
        return [arrived.count(self.pieces[name]) for name in names]

    async def rows(self, *names: str, **wanted: Any) -> list[Document]:  # noqa: ANN401 - a query
        of = {"feedback_id": {"$in": [self.pieces[name] for name in names]}} if names else {}
        return await self.house.store.collection("deliveries").find({**of, **wanted}).to_list(None)

    async def held(self, *names: str) -> None:
        """Everything of these pieces is held, and of no other."""

        async def so() -> bool:
            rows = await self.rows(state="held", purpose="notice")
            wanted = sorted(self.pieces[name] for name in names for _ in range(EACH))
            return sorted(row["feedback_id"] for row in rows) == wanted

        await until(so, within_s=60, what=f"{names} are held")

    async def cli(self, *arguments: str, code: int = 0) -> Any:  # noqa: ANN401 - JSON
        env = self.house.bare_env() | {
            "LISTENINGPOST_KAFKA__BOOTSTRAP_SERVERS": self.house.broker.bootstrap,
            "LISTENINGPOST_MONGO__URI": self.house.mongo.uri,
            "LISTENINGPOST_MONGO__DATABASE": self.house.mongo_settings.database,
            "LISTENINGPOST_INTERNAL_TOKEN": TOKEN,
            "LISTENINGPOST_CLI__INGEST_URL": f"http://127.0.0.1:{self.services['ingest'].port}",
            "LISTENINGPOST_CLI__NOTIFIER_URL": f"http://127.0.0.1:{self.services['notifier'].port}",
            "XDG_RUNTIME_DIR": str(self.home),
            "XDG_DATA_HOME": str(self.home),
        }
        argv = [sys.executable, "-c", "from deploy.cli.main import main; main()", *arguments, "--json"]
        typed = partial(subprocess.run, argv, env=env, cwd=self.home, check=False, timeout=150)
        done = await asyncio.to_thread(partial(typed, capture_output=True, text=True))
        assert done.returncode == code, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else done.stderr

    async def changes(self, names: Sequence[str]) -> list[str]:
        pieces = self.house.store.collection("feedback")
        found = await pieces.find({"_id": {"$in": [self.pieces[name] for name in names]}}).to_list(None)
        return sorted(piece["change"] for piece in found)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Scene]:
    apache = Stack(pytestconfig.getoption("--stack")) is Stack.APACHE_KAFKA
    env = {
        **company.ENV,
        "LISTENINGPOST_INTERNAL_TOKEN": TOKEN,
        "LISTENINGPOST_KAFKA__SESSION_TIMEOUT_MS": "6000" if apache else "2000",
    }
    port = lease_port()
    sink = Sink(port.port)
    await sink.start()
    try:
        async with House(apache=apache, env=env) as house:
            token = await house.furnish(company.with_sink(sink.url))
            services = {name: house.service(name) for name in SERVICES}
            made = Scene(house, sink, token, services, tmp_path_factory.mktemp("home"))
            await made.start()
            yield made
    finally:
        await sink.stop()
        port.release()


@pytest.mark.kafka_smoke
async def test_a_restored_backup_has_all_pieces_once_and_sends_nothing_again(scene: Scene) -> None:
    before, after = ("one", "two", "three"), ("four", "five")
    await scene.said_and_told(*before)
    await scene.said_and_told("hers", author=GONE)
    scene.sink.status = 503
    await scene.say("under way")

    async def planned() -> bool:
        return len(await scene.rows("under way", purpose="notice")) == EACH

    await until(planned, within_s=60, what="it is planned, and nobody can be told yet")
    made = await scene.cli("backup", str(scene.file))
    assert made["members"]["collections/feedback.bson"]["documents"] == len(before) + 2
    assert (scene.file.stat().st_mode & 0o777) == 0o600

    scene.sink.status = 200
    await scene.told("under way")
    await scene.said_and_told(*after)
    receipt = await scene.cli("erase", GONE, "--yes", "--by", "tests")
    assert receipt["state"] == "erased; topics expire"
    arrived = len(scene.sink.deliveries)

    refused = await scene.cli("restore", str(scene.file), "--replace", code=1)
    assert "still at work: ingest, notifier" in refused
    await scene.stop()
    refused = await scene.cli("restore", str(scene.file), code=1)
    assert "is not empty" in refused
    await scene.house.store.db.client.drop_database(scene.house.mongo_settings.database)

    done = await scene.cli("restore", str(scene.file))
    assert done["documents"] == made_documents(made)
    assert done["held"] == EACH, "what was under way when the dump was made"
    assert {one["group"]: one["lost"] for one in done["read_again"]} == {
        "classifier": 0,
        "classifier-bulk": 0,
        "notifier": 0,
    }
    assert await scene.changes([*before, "under way", "hers"]) == ["created"] * 5

    await scene.start()
    await scene.held("under way", *after)

    async def forgotten() -> bool:
        return await scene.changes(["hers"]) == ["deleted"]

    await until(forgotten, within_s=60, what="who was erased since is erased again")
    assert (await scene.cli("erase", GONE, "--dry-run"))["pieces"] == 0
    assert await scene.changes([*before, "under way", *after]) == ["created"] * 6
    pieces = scene.house.store.collection("feedback")
    assert await pieces.count_documents({}) == len(scene.pieces)

    await scene.said_and_told("new")
    assert scene.counts(*before, "under way", *after) == [EACH] * 6, "nothing was sent again"
    redactions = [row for row in scene.sink.deliveries[arrived:] if row.feedback_id == scene.pieces["hers"]]
    assert len(scene.sink.deliveries) == arrived + EACH + len(redactions)


async def test_what_is_listed_is_sent_or_dropped_and_nothing_else(scene: Scene) -> None:
    listed = await scene.cli("held")
    assert listed["restored_at"] > listed["dumped_at"]
    thanks = [one["count"] for one in listed["by"] if one["purpose"] == "acknowledgement"]
    assert (listed["held"], thanks) == (3 * EACH + 2, [2]), "those of four and five had not failed yet"
    assert await scene.cli("held", "send", code=2), "it says that one has to choose"
    four = ("--purpose", "notice", "--piece", scene.pieces["four"])
    five = ("--purpose", "notice", "--piece", scene.pieces["five"])
    assert (await scene.cli("held", *four))["held"] == EACH
    assert await scene.cli("held", "send", *four, "--dry-run") == {"dry_run": True, "found": EACH, "done": 0}
    assert (await scene.cli("held", "send", *four))["done"] == EACH

    await until(lambda: scene.counts("four") == [2 * EACH], within_s=60, what="what was chosen is sent")
    assert (await scene.cli("held", "drop", "--all"))["done"] == 2 * EACH + 2
    assert (await scene.cli("held"))["held"] == 0
    assert (await scene.cli("held", "drop", "--undo", *five))["done"] == EACH
    await scene.held("five")
    assert (await scene.cli("held", "drop", *five))["done"] == EACH

    await scene.said_and_told("newer")
    counts = scene.counts("one", "two", "three", "under way", "four", "five", "new")
    assert counts == [EACH, EACH, EACH, EACH, 2 * EACH, EACH, EACH]


def made_documents(made: dict[str, Any]) -> int:
    return sum(member["documents"] for member in made["members"].values())
