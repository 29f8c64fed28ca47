"""The whole service, as `python -m services.classifier` wires it: from a topic to the store and the next."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from services.classifier.app import create_app
from services.classifier.settings import ClassifierSettings
from shared import clock
from shared.bus.codec import decode, header
from shared.bus.publisher import Publisher
from shared.bus.tail import read_all
from shared.errors import DependencyDown
from shared.events.feedback import Attachment, Change, FeedbackClassified
from shared.events.topics import CLASSIFIED, RECEIVED, RECEIVED_BULK
from shared.service import Service
from shared.settings import KafkaSettings, MongoSettings
from shared.store.connection import Store
from shared.store.directory import DirectoryStore
from shared.store.feedback import FeedbackStore
from shared.telemetry import trace
from tests.support.feedback import piece
from tests.support.tagger import example
from tests.support.wait import until

SCREENSHOT = Attachment(id="a", name="signup.png", media_type="image/png", size_bytes=9, sha256="0")
WITHIN_S = 30.0


@asynccontextmanager
async def running(kafka: KafkaSettings, mongo: MongoSettings, engine: str) -> AsyncIterator[Service]:
    settings = ClassifierSettings.model_validate(
        {"kafka": kafka, "mongo": mongo, "classifier": {"engine": engine}}
    )
    service = create_app(settings)
    for component in service.components:
        await component.start()
        service.started.append(component)
    try:
        yield service
    finally:
        for component in reversed(service.components):
            await component.stop()


async def apply_example(store: Store) -> None:
    await DirectoryStore(store).propose(example().workspace, "tests", expected=0, now=clock.now())


async def published(kafka: KafkaSettings, count: int) -> list[tuple[FeedbackClassified, str]]:
    """All classified events with their traceparents, once there are `count` of them."""

    async def enough() -> Sequence[tuple[FeedbackClassified, str]]:
        found = [
            (decode(FeedbackClassified, record.value), header(record.headers, "traceparent"))
            async for record in read_all(kafka, CLASSIFIED.name)
        ]
        return found if len(found) >= count else ()

    return list(await until(enough, within_s=WITHIN_S, what=f"{count} classified events"))


async def test_live_and_bulk_pieces_are_tagged_stored_and_published(
    kafka: KafkaSettings, mongo: MongoSettings, store: Store, publisher: Publisher
) -> None:
    await apply_example(store)
    example_of_others = piece(
        "example", text="I really like how THEY manage the creation of accounts", attachments=(SCREENSHOT,)
    )
    bill = piece("bill", text="Die Rechnung ist unverständlich.")
    picture = piece("picture", text="", attachments=(SCREENSHOT,))
    parent = trace.start()
    async with running(kafka, mongo, "standard") as service:
        assert service.problems() == {}
        await publisher.publish(RECEIVED_BULK, [bill])
        await publisher.publish(RECEIVED, [example_of_others, picture], traces=[parent, None])
        events = await published(kafka, 3)
        deletion = bill.model_copy(update={"revision": 9, "change": Change.DELETED, "text": ""})
        await publisher.publish(RECEIVED_BULK, [deletion])
        await published(kafka, 4)
    by_id = {event.feedback_id: (event, sent_with) for event, sent_with in events}
    tagged, sent_with = by_id[example_of_others.feedback_id]
    assert (tagged.tags.kind, tagged.tags.about, tagged.tags.polarity) == ("example", "other", "change")
    assert [touchpoint.id for touchpoint in tagged.tags.touchpoints] == ["account-creation"]
    assert trace.trace_id(sent_with) == trace.trace_id(parent)
    assert by_id[bill.feedback_id][0].tags.touchpoints[0].id == "bill"
    assert by_id[picture.feedback_id][0].tags.triage_reason == "no_words"
    (stored,) = await FeedbackStore(store).get([example_of_others.feedback_id])
    assert stored == tagged
    (buried,) = await FeedbackStore(store).get([bill.feedback_id])
    assert (buried.change, buried.text, buried.revision) == ("deleted", "", 9)


async def test_without_a_directory_it_waits_and_says_so(
    kafka: KafkaSettings, mongo: MongoSettings, store: Store, publisher: Publisher
) -> None:
    async with running(kafka, mongo, "constant") as service:
        await publisher.publish(RECEIVED, [piece("early")])
        await until(lambda: "consumer" in service.problems(), within_s=WITHIN_S, what="the consumer waits")
        assert "listeningpost apply" in service.problems()["directory"]
        await apply_example(store)
        ((event, _),) = await published(kafka, 1)
        assert event.model_version == "constant/1"
        await until(lambda: service.problems() == {}, within_s=WITHIN_S, what="the service is ready")


@pytest.mark.kafka_smoke
async def test_a_batch_that_was_stored_and_not_published_is_published_by_the_next_owner(
    kafka: KafkaSettings,
    mongo: MongoSettings,
    store: Store,
    publisher: Publisher,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await apply_example(store)
    async with running(kafka, mongo, "constant"):
        with monkeypatch.context() as away:

            async def fail(*_: object, **__: object) -> None:
                raise DependencyDown("kafka")

            away.setattr(Publisher, "publish", fail)
            await Publisher.publish_raw(publisher, RECEIVED.name, [_record(number) for number in range(20)])
            stored = FeedbackStore(store)
            names = [piece(str(number)).feedback_id for number in range(20)]

            async def all_stored() -> bool:
                return len(await stored.heads(names)) == len(names)

            await until(all_stored, within_s=WITHIN_S, what="all are stored")
    before = {event.feedback_id: event for event in await stored.get(names)}
    async with running(kafka, mongo, "constant"):
        events = [event for event, _ in await published(kafka, 20)]
    assert sorted(event.feedback_id for event in events) == sorted(names), "each once"
    assert {event.feedback_id: event for event in events} == before


def _record(number: int) -> tuple[bytes, bytes, list[tuple[str, bytes]]]:
    event = piece(str(number))
    return event.key.encode(), event.model_dump_json().encode(), []
