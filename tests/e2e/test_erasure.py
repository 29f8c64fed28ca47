"""Somebody is forgotten, and nothing brings them back: not a replay, not a restored backup, not an import.

On servers and services of its own, as processes; what is left is looked for byte by byte.
"""

from __future__ import annotations

import asyncio
import base64
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from functools import partial
from pathlib import Path
from smtplib import SMTP
from typing import Any

import bson
import httpx
import pytest
import pytest_asyncio

from deploy.embedded.ports import lease_port
from shared import clock
from shared.bus.publisher import Publisher, Record
from shared.bus.tail import read_all
from shared.domain.api_key import Scope
from shared.domain.workspace import Workspace
from shared.events.topics import CLASSIFIED, RECEIVED, RECEIVED_BULK, TOPICS
from shared.store.api_keys import ApiKeyStore
from tests.load import company
from tests.load.house import House, Running
from tests.load.sink import Sink
from tests.support.choice import Stack
from tests.support.wait import until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

NAME, ADDRESS = "Dora Doolittle", "dora.doolittle@forgetme.example"
OTHER = "max.miller@remember.example"
TEXTS = (
    "The quetzal invoice is unreadable",
    "The wombat portal is splendid",
    "My boss hides the okapi",
)
ROW = "The narwhal training was too long"
OWN_FILE, SHARED_FILE = b"axolotl-only-hers", b"shared-by-both-of-them"
TOKEN = "the-token-of-this-house"
SERVICES = ("ingest", "classifier", "notifier")
#: As they stand anywhere: in texts, in JSON, in files.
SECRETS = tuple(
    word.encode()
    for word in (NAME, ADDRESS, "quetzal", "wombat", "okapi", "narwhal", "axolotl", "capybara", "ocelot")
)


@dataclass
class Scene:
    """The house, and what was sent to it."""

    house: House
    services: dict[str, Running]
    token: str
    import_token: str
    mail_port: int
    home: Path
    kept: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.services['ingest'].port}"

    async def post(self, **item: Any) -> httpx.Response:  # noqa: ANN401 - JSON
        async with httpx.AsyncClient(timeout=20) as client:
            headers = {"authorization": f"Bearer {self.token}"}
            return await client.post(f"{self.url}/v1/feedback", json=item, headers=headers)

    async def cli(self, *arguments: str, code: int = 0) -> Any:  # noqa: ANN401 - JSON
        env = self.house.bare_env() | {
            "LISTENINGPOST_KAFKA__BOOTSTRAP_SERVERS": self.house.broker.bootstrap,
            "LISTENINGPOST_MONGO__URI": self.house.mongo.uri,
            "LISTENINGPOST_MONGO__DATABASE": self.house.mongo_settings.database,
            "LISTENINGPOST_INTERNAL_TOKEN": TOKEN,
            "LISTENINGPOST_CLI__INGEST_URL": self.url,
            "LISTENINGPOST_CLI__IMPORT_KEY": self.import_token,
            "XDG_RUNTIME_DIR": str(self.home),
            "XDG_DATA_HOME": str(self.home),
        }
        argv = [sys.executable, "-c", "from deploy.cli.main import main; main()", *arguments, "--json"]
        typed = partial(subprocess.run, argv, env=env, cwd=self.home, check=False, timeout=150)
        done = await asyncio.to_thread(partial(typed, capture_output=True, text=True))
        said = [line for service in self.services.values() for line in service.complaints()[-6:]]
        assert done.returncode == code, (done.stderr, said)
        return json.loads(done.stdout) if done.stdout.strip() else None

    async def stored(self, *feedback_ids: str) -> None:
        wanted = {"_id": {"$in": list(feedback_ids)}}
        pieces = self.house.store.collection("feedback")

        async def there() -> bool:
            return await pieces.count_documents(wanted) == len(feedback_ids)

        await until(there, within_s=60, what="the pieces are stored")

    async def told(self, *feedback_ids: str) -> None:
        deliveries = self.house.store.collection("deliveries")

        async def done() -> bool:
            of_these = {"feedback_id": {"$in": list(feedback_ids)}}
            told = await deliveries.distinct("feedback_id", of_these | {"state": "sent"})
            left = await deliveries.count_documents(of_these | {"state": {"$in": ["due", "sending"]}})
            return set(told) == set(feedback_ids) and not left

        await until(done, within_s=60, what="everybody is told")

    async def found(self) -> list[str]:
        """Where something of her is: in the database, the spool, dead letters, or a log."""
        found = [where async for where, raw in self._documents() if _names(raw)]
        spool = self.house.directory / "spool"
        found += [str(file) for file in spool.rglob("*") if file.is_file() and _names(file.read_bytes())]
        for topic in TOPICS:
            records = read_all(self.house.kafka_settings, topic.dead_letters)
            found += [f"{topic.dead_letters}" async for record in records if _names(record.value or b"")]
        for name, service in self.services.items():
            found += [f"log of {name}: {line}" for line in service.lines if _names(line.encode())]
        return found

    async def nothing_is_found(self, what: str) -> None:
        async def gone() -> bool:
            left = await self.found()
            assert not left, left
            return True

        await until(gone, within_s=60, what=f"nothing is left {what}")

    async def _documents(self) -> AsyncIterator[tuple[str, bytes]]:
        for name in await self.house.store.db.list_collection_names():
            async for document in self.house.store.db[name].find({}):
                yield f"{name} {document['_id']}", bson.encode(document)


def _names(raw: bytes) -> bool:
    return any(secret.lower() in raw.lower() for secret in SECRETS)


@asynccontextmanager
async def scene(home: Path, *, apache: bool) -> AsyncIterator[Scene]:
    sink_port, mail = lease_port(), lease_port()
    sink = Sink(sink_port.port)
    await sink.start()
    boxes = [{"address": "feedback@brightline.example"}]
    env = {
        **company.ENV,
        "LISTENINGPOST_INTERNAL_TOKEN": TOKEN,
        "LISTENINGPOST_KAFKA__SESSION_TIMEOUT_MS": "6000" if apache else "2000",
        "LISTENINGPOST_INGEST__PROBE_EVERY_S": "1",
        "LISTENINGPOST_INGEST__MAIL__PORT": str(mail.port),
        "LISTENINGPOST_INGEST__MAIL__MAILBOXES": json.dumps(boxes),
    }
    try:
        async with House(apache=apache, env=env) as house:
            token = await house.furnish(_with_contact(company.with_sink(sink.url)))
            _, importing = await ApiKeyStore(house.store).create(
                "import", [Scope.IMPORT], now=clock.now(), created_by="tests"
            )
            services = {name: house.service(name) for name in SERVICES}
            for service in services.values():
                service.start()
            await asyncio.gather(*(service.ready() for service in services.values()))
            yield Scene(house, services, token, importing, mail.port, home)
    finally:
        await sink.stop()
        sink_port.release()
        mail.release()


def _with_contact(workspace: Workspace) -> Workspace:
    first, *others = workspace.accounts
    contact = {"email": ADDRESS, "name": NAME}
    known = type(first).model_validate(
        {**first.model_dump(mode="json"), "contacts": [*first.model_dump(mode="json")["contacts"], contact]}
    )
    return workspace.model_copy(update={"accounts": (known, *others)})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def told_all(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Scene]:
    """She has spoken by every way there is, and so has somebody else."""
    apache = Stack(pytestconfig.getoption("--stack")) is Stack.APACHE_KAFKA
    async with scene(tmp_path_factory.mktemp("home"), apache=apache) as made:
        await _speak(made)
        yield made


async def _speak(made: Scene) -> None:
    dora, max_ = {"email": ADDRESS, "name": NAME}, {"email": OTHER, "name": "Max"}
    shared, own = _file("shared.txt", SHARED_FILE), _file("own.txt", OWN_FILE)
    pieces: dict[str, dict[str, Any]] = {
        "hers": {"text": TEXTS[0], "author": dora, "attachments": [shared, own]},
        "unproven": {"text": TEXTS[1], "author": {**dora, "verified": False}},
        "confidential": {"text": TEXTS[2], "author": dora, "confidential": True},
        "for her": {"text": "She likes the capybara", "author": max_, "on_behalf_of": dora},
        "his": {"text": "The bill is clear at last", "author": max_, "attachments": [shared]},
    }
    for name, item in pieces.items():
        answer = await made.post(**item, external_id=f"say {name}")
        assert answer.status_code == 202, answer.text
        made.kept[name] = answer.json()["feedback_id"]
    file = made.home / "said.csv"
    rows = (f"{ROW};{ADDRESS};{NAME}", f"The training was just right;{OTHER};Max")
    file.write_text("text;email;name\n" + "\n".join(rows) + "\n", encoding="utf-8")
    await made.cli("import", str(file), "--yes")
    await asyncio.to_thread(_out_of_office, made.mail_port)
    await _dead_letter(made)
    damaged = made.house.directory / "spool" / "damaged"
    damaged.mkdir(parents=True, exist_ok=True)
    torn = json.dumps({"email": ADDRESS, "text": "ocelot"}).encode()
    (damaged / "a-record").write_bytes(b"\x00\x01" + torn)
    await made.stored(*made.kept.values())
    await made.told(*(made.kept[name] for name in made.kept))

    async def imported() -> bool:
        return await made.house.store.collection("feedback").count_documents({"mode": "import"}) == 2

    await until(imported, within_s=60, what="the rows are stored")

    async def aside() -> bool:
        return await made.house.store.collection("quarantine").count_documents({}) == 1

    await until(aside, within_s=30, what="the out-of-office reply is in quarantine")


def _file(name: str, content: bytes) -> dict[str, str]:
    return {"name": name, "media_type": "text/plain", "content": base64.b64encode(content).decode()}


def _out_of_office(port: int) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = f"{NAME} <{ADDRESS}>", "feedback@brightline.example", "Away"
    mail["Auto-Submitted"] = "auto-replied"
    mail.set_content("I am away, with the ocelot.")
    with SMTP("127.0.0.1", port) as smtp:
        smtp.send_message(mail)


async def _dead_letter(made: Scene) -> None:
    """Something unreadable with her in it, and something unreadable of somebody else."""
    hers = json.dumps({"reported_by": {"email": ADDRESS}, "text": "ocelot", "broken": True}).encode()
    his = json.dumps({"reported_by": {"email": OTHER}, "broken": True}).encode()
    await _publish(made, RECEIVED.name, [(b"broken", hers, []), (b"broken", his, [])])

    async def there() -> bool:
        letters = [r async for r in read_all(made.house.kafka_settings, RECEIVED.dead_letters)]
        return len(letters) == 2

    await until(there, within_s=30, what="both are dead letters")


async def _publish(made: Scene, topic: str, records: list[Record]) -> None:
    publisher = Publisher(made.house.kafka_settings, "tests")
    await publisher.start()
    try:
        await publisher.publish_raw(topic, records)
    finally:
        await publisher.stop()


@pytest.mark.kafka_smoke
async def test_somebody_who_is_erased_is_nowhere_and_nothing_brings_them_back(told_all: Scene) -> None:
    made = told_all
    known = await made.cli("access", ADDRESS)
    assert {piece["feedback_id"] for piece in known["pieces"]} >= set(made.kept.values()) - {made.kept["his"]}
    opened = [piece["in_confidence"] for piece in known["pieces"] if piece["in_confidence"]]
    assert [each["address"] for each in opened] == [ADDRESS]
    assert known["contacts"]
    assert known["quarantine"]
    assert await made.found(), "there is something to be erased"
    dump = await _dump(made)

    receipt = await made.cli("erase", ADDRESS, "--yes", "--by", "tests")
    assert receipt["state"] == "erased; topics expire"
    assert receipt["erased quarantine"] == 1
    assert receipt["erased dead_letters"] == 1
    assert receipt["erased damaged"] == 1
    await made.nothing_is_found("after the erasure")
    assert await _attachment(made, SHARED_FILE), "somebody else shows it as well"
    assert not await _attachment(made, OWN_FILE)
    letters = [r async for r in read_all(made.house.kafka_settings, RECEIVED.dead_letters)]
    assert [OTHER.encode() in (letter.value or b"") for letter in letters] == [True]
    assert (await made.cli("access", ADDRESS, code=1))["pieces"] == []

    await _replay(made)
    await made.nothing_is_found("after a replay of the topics")

    await _restore(made, dump)
    assert await made.found(), "the backup has brought it back"
    await made.cli("erasures", "again")
    await made.nothing_is_found("after a backup was restored")
    assert await _attachment(made, SHARED_FILE)

    again = await made.cli("import", str(made.home / "said.csv"), "--yes", "--from-start")
    assert again is not None
    refused = await made.post(
        text=TEXTS[0], external_id="say hers", author={"email": ADDRESS}, occurred_at="2026-01-01T00:00:00Z"
    )
    assert (refused.status_code, refused.json()["reason"]) == (410, "erased")
    await made.nothing_is_found("after the file was imported again")
    pieces = made.house.store.collection("feedback")
    assert await pieces.count_documents({"text": "The training was just right"}) == 1


async def test_a_customer_is_erased_as_a_whole(told_all: Scene) -> None:
    account = next(account for account in company.example().accounts if account.domains)
    said = [
        await told_all.post(text=f"The {word} is late", author={"email": f"{word}@{account.domains[0]}"})
        for word in ("pangolin", "tapir")
    ]
    ids = [answer.json()["feedback_id"] for answer in said]
    await told_all.stored(*ids)
    survey = await told_all.cli("erase", "--account", account.id, "--dry-run")
    assert survey["pieces"] >= 2
    receipt = await told_all.cli("erase", "--account", account.id, "--yes")
    assert receipt["erased pieces"] == survey["pieces"]
    changes = await told_all.house.store.collection("feedback").distinct("change", {"_id": {"$in": ids}})
    assert changes == ["deleted"]
    assert (await told_all.cli("access", "--account", account.id, code=1))["pieces"] == []
    listed = await told_all.cli("erasures")
    assert [entry["state"] for entry in listed] == ["erased; topics expire"] * 2
    assert (await told_all.cli("erasures", "show", receipt["id"][:8]))["id"] == receipt["id"]


async def test_a_colleague_in_the_workspace_is_not_erased(told_all: Scene) -> None:
    person = next(person for person in company.example().people if person.emails)
    for who in (person.id, person.emails[0]):
        assert await told_all.cli("erase", who, "--yes", code=1) is None
    assert await told_all.cli("erase", "Dora Doolittle", "--yes", code=1) is None, "a name is nobody"


async def test_who_speaks_again_is_heard(told_all: Scene) -> None:
    answer = await told_all.post(text="I am back, and the bill is fine", author={"email": ADDRESS})
    assert answer.status_code == 202
    await told_all.stored(answer.json()["feedback_id"])


async def _dump(made: Scene) -> dict[str, list[dict[str, Any]]]:
    """Every document, as a backup has it."""
    db = made.house.store.db
    return {name: await db[name].find({}).to_list(None) for name in await db.list_collection_names()}


async def _restore(made: Scene, dump: dict[str, list[dict[str, Any]]]) -> None:
    """As `mongorestore --drop`: what was written since is gone, the ledger of erasures too."""
    db = made.house.store.db
    for name in await db.list_collection_names():
        await db[name].delete_many({})
        if dump.get(name):
            await db[name].insert_many(dump[name])


async def _replay(made: Scene) -> None:
    """Everything that was ever said on the topics is said once more."""
    for topic in (RECEIVED, RECEIVED_BULK, CLASSIFIED):
        records = [r async for r in read_all(made.house.kafka_settings, topic.name)]
        again: list[Record] = [(r.key, r.value, list(r.headers)) for r in records if r.key != b"broken"]
        for chunk in _chunks(again):
            await _publish(made, topic.name, chunk)
    last = await made.post(text="The very last one", external_id=f"last {clock.now().isoformat()}")
    await made.stored(last.json()["feedback_id"])
    await made.told(last.json()["feedback_id"])


def _chunks(records: list[Record]) -> Iterator[list[Record]]:
    return (records[start : start + 100] for start in range(0, len(records), 100))


async def _attachment(made: Scene, content: bytes) -> bool:
    chunks = made.house.store.db["attachments.chunks"]
    return await chunks.count_documents({"data": content}) > 0
