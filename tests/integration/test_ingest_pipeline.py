"""The pipeline on real servers, and without them: what was answered as kept arrives when they are back."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest_asyncio
from pydantic import SecretStr

from services.ingest.domain.receipt import Receipt, ReceiptStatus
from services.ingest.domain.submission import File, Submission
from services.ingest.keep import Keeper
from services.ingest.outlet import Outlet
from services.ingest.pipeline import Confidence, Limits, Pipeline
from services.ingest.spool.drain import Drain
from services.ingest.spool.spool import Spool
from shared.breaker import Breaker
from shared.bus.admin import ensure_topics
from shared.bus.codec import decode, header
from shared.bus.publisher import Publisher
from shared.bus.tail import read_all
from shared.domain.quarantine import QuarantineReason
from shared.events.feedback import Change, FeedbackReceived, Mode, ReplyTo
from shared.events.topics import RECEIVED, RECEIVED_BULK
from shared.settings import KafkaSettings, MongoSettings
from shared.store.attachments import AttachmentStore
from shared.store.connection import Store
from shared.store.contributors import ContributorStore
from shared.store.migrations import Migrator
from shared.store.quarantine import QuarantineStore
from tests.support.embedded_broker import EmbeddedBroker
from tests.support.ingest_parts import MB, SEAL
from tests.support.mongo_server import MongoServer
from tests.support.submissions import COLLEAGUE, DIRECTORY, screenshot, submission
from tests.support.wait import until

ACCEPTED, SPOOLED = ReceiptStatus.ACCEPTED, ReceiptStatus.SPOOLED
SHOT = File("shot.png", "image/png", screenshot())
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
#: Short, so that an outage is noticed soon.
_WITHIN_S = 0.7


def _nobody_was_forgotten(_: FeedbackReceived) -> bool:
    return False


class House:
    """Ingest without its doors."""

    def __init__(self, kafka: KafkaSettings, mongo: MongoSettings, directory: Path) -> None:
        self.kafka = kafka
        self.store = Store(mongo)
        self.attachments = AttachmentStore(self.store)
        self.contributors = ContributorStore(self.store)
        self.quarantine = QuarantineStore(self.store)
        self.publisher = Publisher(kafka, "tests")
        self.spool = Spool(directory, quota_bytes=100 * MB, segment_bytes=MB)
        keeper = Keeper(
            self.attachments, self.contributors, self.quarantine, Breaker("mongodb", within_s=_WITHIN_S)
        )
        outlet = Outlet(self.publisher, Breaker("kafka", within_s=_WITHIN_S))
        self.pipeline = Pipeline(
            keeper=keeper,
            outlet=outlet,
            spool=self.spool,
            confidence=Confidence(b"key", SEAL),
            limits=Limits(10 * MB, 10, MB),
            directory=lambda: DIRECTORY,
            is_barred=_nobody_was_forgotten,
            heard=lambda _, __: None,
        )
        self.drain = Drain(self.spool, keeper, outlet, _nobody_was_forgotten)

    async def accept(self, *given: Submission) -> list[Receipt]:
        return await self.pipeline.accept(given)

    async def statuses(self, *given: Submission) -> list[ReceiptStatus]:
        return [receipt.status for receipt in await self.accept(*given)]

    async def published(self, topic: str = RECEIVED.name) -> list[FeedbackReceived]:
        return [decode(FeedbackReceived, record.value) async for record in read_all(self.kafka, topic)]

    async def texts(self) -> set[str]:
        return {event.text for event in await self.published()}

    async def drained(self) -> None:
        await until(lambda: self.spool.records == 0, within_s=30, what="the spool is drained")


@asynccontextmanager
async def running(kafka: KafkaSettings, mongo: MongoSettings, directory: Path) -> AsyncIterator[House]:
    house = House(kafka, mongo, directory)
    async with AsyncExitStack() as stack:
        for component in (house.spool, house.store, Migrator(house.store), house.publisher, house.drain):
            await component.start()
            stack.push_async_callback(component.stop)
        yield house


@pytest_asyncio.fixture
async def house(
    kafka: KafkaSettings, store: Store, mongo: MongoSettings, tmp_path: Path
) -> AsyncIterator[House]:
    """On the servers of this run, which stay up."""
    async with running(kafka, mongo, tmp_path) as made:
        yield made


async def test_a_piece_is_in_kafka_when_its_receipt_is_there(house: House) -> None:
    given = [submission(external_id="1", text="live", trace=TRACE), submission(text="old", mode=Mode.IMPORT)]
    assert await house.statuses(*given) == [ACCEPTED, ACCEPTED]
    (record,) = [record async for record in read_all(house.kafka, RECEIVED.name)]
    event = decode(FeedbackReceived, record.value)
    assert (event.text, record.key) == ("live", event.feedback_id.encode())
    assert header(record.headers, "traceparent")[3:35] == TRACE[3:35]
    (old,) = await house.published(RECEIVED_BULK.name)
    assert old.text == "old"


async def test_an_attachment_is_stored_before_its_piece_is_published_and_goes_with_the_last_one(
    house: House,
) -> None:
    await house.accept(*(submission(external_id=f"{n}", files=(SHOT,)) for n in range(3)))
    (sha256,) = {event.attachments[0].sha256 for event in await house.published()}
    assert await house.attachments.read(sha256) == (SHOT.content, "image/png")
    for number in range(3):
        assert await house.attachments.read(sha256) is not None
        await house.accept(submission(external_id=f"{number}", change=Change.DELETED, text=""))
    assert await house.attachments.read(sha256) is None
    assert await house.store.collection("attachments.chunks").count_documents({}) == 0


async def test_a_large_attachment_is_stored_whole(house: House) -> None:
    content = bytes(range(256)) * 20_000
    await house.accept(submission(files=(File("large.bin", "", content),)))
    (event,) = await house.published()
    stored = await house.attachments.read(event.attachments[0].sha256)
    assert stored is not None
    assert stored[0] == content


async def test_who_spoke_in_confidence_can_be_answered(house: House) -> None:
    reply_to = ReplyTo(receiver="email", address="ann@brightline.example")
    given = submission(
        external_id="1", revision=2, reported_by=COLLEAGUE, confidential=True, reply_to=reply_to
    )
    (receipt,) = await house.accept(given)
    assert receipt.feedback_id is not None
    sealed = await house.contributors.sealed(receipt.feedback_id)
    assert sealed is not None
    assert SEAL.open(sealed).reply_to == reply_to
    row = await house.store.collection("contributors").find_one({})
    assert row is not None
    assert "ann" not in str({key: value for key, value in row.items() if key != "sealed"}).lower()
    await house.accept(submission(external_id="1", change=Change.DELETED, text=""))
    assert await house.contributors.sealed(receipt.feedback_id) is None


async def test_the_newest_revision_of_a_contributor_stays(house: House) -> None:
    for revision, sealed in ((2, b"two"), (1, b"one"), (3, b"three"), (2, b"two")):
        await house.contributors.keep("id", revision, "Quiet Heron", sealed)
    assert await house.contributors.sealed("id") == b"three"


async def test_quarantine_is_searched(house: House) -> None:
    put = house.pipeline.quarantine
    away = await put(b"I am away until Monday", "mail", QuarantineReason.AUTO_REPLY, "an automatic reply")
    await put(b"I am away until Monday", "mail", QuarantineReason.AUTO_REPLY, "an automatic reply")
    await put(b"\xff\xfe not JSON", "rest", QuarantineReason.UNPARSABLE, "the body is no JSON", source="key")
    search = house.quarantine.search
    assert len(await search()) == 2
    assert [entry.id for entry in await search(containing="AWAY UNTIL")] == [away]
    assert [entry.id for entry in await search(reason=QuarantineReason.AUTO_REPLY, channel="mail")] == [away]
    (unparsable,) = await search(channel="rest")
    assert (unparsable.raw, unparsable.source) == (b"\xff\xfe not JSON", "key")
    assert await house.quarantine.get(away) is not None
    assert await house.quarantine.remove(away)
    assert not await house.quarantine.remove(away)


async def test_kafka_away_and_back(mongo: MongoSettings, store: Store, tmp_path: Path) -> None:
    async with EmbeddedBroker() as broker:
        kafka = KafkaSettings(bootstrap_servers=broker.bootstrap, idempotence=False)
        await ensure_topics(kafka)
        async with running(kafka, mongo, tmp_path) as house:
            assert await house.statuses(submission(text="before")) == [ACCEPTED]
            broker.pause()
            assert await house.statuses(submission(text="first", files=(SHOT,))) == [SPOOLED]
            started = time.perf_counter()
            given = [submission(text=f"{number}") for number in range(100)]
            assert await house.statuses(*given) == [SPOOLED] * 100
            assert time.perf_counter() - started < _WITHIN_S
            broker.resume()
            await house.drained()
            assert await house.statuses(submission(text="after")) == [ACCEPTED]
            assert await house.texts() == {"before", "first", "after", *(str(n) for n in range(100))}


async def test_mongodb_away_and_back(kafka: KafkaSettings, tmp_path: Path) -> None:
    async with MongoServer() as server:
        mongo = MongoSettings(uri=SecretStr(server.uri), server_selection_timeout_ms=500)
        async with running(kafka, mongo, tmp_path) as house:
            assert await house.statuses(submission(text="before", files=(SHOT,))) == [ACCEPTED]
            await server.kill()
            other = File("other.png", "image/png", screenshot(size=(3, 3)))
            confided = submission(text="confided", reported_by=COLLEAGUE, confidential=True)
            given = [submission(text="plain"), submission(text="pictured", files=(other,)), confided]
            assert await house.statuses(*given) == [ACCEPTED, SPOOLED, SPOOLED]
            assert await house.texts() == {"before", "plain"}
            await server.start()
            await house.drained()
            events = {event.text: event for event in await house.published()}
            assert events.keys() == {"before", "plain", "pictured", "confided"}
            stored = await house.attachments.read(events["pictured"].attachments[0].sha256)
            assert stored == (other.content, "image/png")
            assert await house.contributors.sealed(events["confided"].feedback_id) is not None


async def test_a_replica_that_died_spooling_is_taken_over(
    kafka: KafkaSettings, mongo: MongoSettings, store: Store, tmp_path: Path
) -> None:
    dead = House(kafka, mongo, tmp_path)
    await dead.spool.start()
    # Its publisher was never started, which is Kafka away; and it stops without having drained.
    assert await dead.statuses(submission(text="left behind")) == [SPOOLED]
    await dead.spool.stop()
    async with running(kafka, mongo, tmp_path) as house:
        await house.drained()
        assert await house.texts() == {"left behind"}
