"""A declared webhook on sockets, with a real directory in MongoDB and real events in Kafka."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest_asyncio
from standardwebhooks import Webhook

from shared import clock
from shared.bus.dead_letters import DeadLetter, list_dead_letters, replay
from shared.bus.publisher import Publisher
from shared.domain.workspace import Workspace
from shared.events.topics import UNMAPPED
from shared.settings import KafkaSettings, MongoSettings
from shared.store.connection import Store
from shared.store.directory import DirectoryStore
from tests.support.doors import HOOK, HOOK_SECRET
from tests.support.ingest_service import Ingest, ingest
from tests.support.submissions import WORKSPACE
from tests.support.wait import until


@pytest_asyncio.fixture
async def house(
    kafka: KafkaSettings, mongo: MongoSettings, store: Store, tmp_path: Path
) -> AsyncIterator[Ingest]:
    async with ingest(kafka, mongo, store, tmp_path) as running:
        yield running


async def post(house: Ingest, body: object, **more: str) -> httpx.Response:
    content, now = json.dumps(body), clock.now()
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(HOOK_SECRET).sign("msg_1", now, content),
        **more,
    }
    return await house.http.post(f"{HOOK}/survey", content=content, headers=headers)


async def apply(store: Store, **mapping: str) -> None:
    """The workspace in force with another mapping for the webhook."""
    workspace = WORKSPACE.model_dump(mode="json", by_alias=True)
    workspace["webhooks"][0]["map"] = mapping
    versions = DirectoryStore(store)
    current = await versions.current()
    assert current is not None
    await versions.propose(
        Workspace.model_validate(workspace), "tests", expected=current.number, now=clock.now()
    )


async def test_a_mapping_error_is_a_dead_letter_with_the_body_and_replays_after_mending(
    house: Ingest, kafka: KafkaSettings, store: Store, publisher: Publisher
) -> None:
    good, bad = {"id": 1, "comment": "Fine."}, {"id": 2, "comment": {"words": "The invoice is wrong."}}
    assert (await post(house, good)).json() == {"accepted": 1, "skipped": 0, "unmapped": 0}
    assert (await post(house, bad)).json() == {"accepted": 0, "skipped": 0, "unmapped": 1}

    async def waiting() -> list[DeadLetter]:
        letters = [letter async for letter in list_dead_letters(kafka, [UNMAPPED.name])]
        return [letter for letter in letters if not letter.replayed]

    await until(waiting, within_s=20, what="the body is a dead letter")
    (letter,) = await waiting()
    assert (letter.reason, letter.key) == ("mapping", "survey")
    assert json.loads(json.loads(letter.record[1] or b"")["body"]) == bad

    await apply(store, text="comment.words", external_id="id")

    async def taken() -> bool:
        return {event.text for event in await house.events()} == {"Fine.", "The invoice is wrong."}

    async def again() -> bool:
        """The new mapping is in force within two seconds; until then it is a dead letter once more."""
        for each in await waiting():
            await replay(publisher, each)
        return await taken()

    await until(again, within_s=30, what="the mended mapping takes it")
    assert not await waiting()


async def test_a_changed_mapping_is_in_force_without_a_restart(house: Ingest, store: Store) -> None:
    await apply(store, text="note")

    async def new_mapping() -> bool:
        return bool((await post(house, {"note": "Now mapped."})).json()["accepted"])

    await until(new_mapping, within_s=10, what="the new mapping is in force")


async def test_a_dead_letter_is_shown_with_the_headers_of_its_request(
    house: Ingest, kafka: KafkaSettings
) -> None:
    await post(house, {"id": 2, "comment": {"words": "Wrong."}}, **{"X-Event-Type": "answer.created"})

    async def waiting() -> list[DeadLetter]:
        return [letter async for letter in list_dead_letters(kafka, [UNMAPPED.name])]

    (letter,) = await until(waiting, within_s=20, what="the body is a dead letter")
    done = await typed(kafka, "dead-letters", "show", letter.position)
    assert "answer.created" in done
    assert '"words": "Wrong."' in done
    assert "webhook-signature" not in done
    told = json.loads(await typed(kafka, "dead-letters", letter.position, "--json"))
    assert told["content"]["headers"]["x-event-type"] == "answer.created"
    assert "v1," not in json.dumps(told)


async def typed(kafka: KafkaSettings, *arguments: str) -> str:
    """What the command prints, in a process of its own."""
    env = {
        "LISTENINGPOST_KAFKA__BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "LISTENINGPOST_KAFKA__TOPIC_PREFIX": kafka.topic_prefix,
        "LISTENINGPOST_KAFKA__IDEMPOTENCE": str(kafka.idempotence),
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from deploy.cli.main import main; main()", *arguments),
        stdout=asyncio.subprocess.PIPE,
        env={name: value for name, value in os.environ.items() if not name.startswith("LISTENINGPOST_")}
        | env,
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    return out.decode()
