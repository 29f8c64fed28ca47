"""Two lanes: imports give way to live pieces, and are not starved by them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from services.classifier.pipeline import Batch
from services.classifier.settings import ClassifierSection, ClassifierSettings
from services.classifier.subscriptions import Lanes, subscriptions
from shared.bus.subscription import Outcome, Received
from shared.settings import load
from tests.support.feedback import piece
from tests.support.wait import until


def batch(name: str) -> Batch:
    return [Received(piece(name), [], "topic", 0, 0)]


class Handler:
    """Notes when a batch begins and ends; a live one lasts until the test says `go_on`."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.go_on = asyncio.Event()

    async def __call__(self, items: Batch) -> Sequence[Outcome]:
        name = items[0].event.text.removeprefix("piece ")
        self.seen.append(f"{name} begins")
        if name == "live":
            await self.go_on.wait()
        self.seen.append(f"{name} ends")
        return [Outcome.DONE]


async def test_bulk_starts_when_the_live_batch_is_done() -> None:
    handler = Handler()
    lanes = Lanes(handler, bulk_patience_s=30)
    live = asyncio.create_task(lanes.live(batch("live")))
    await until(lambda: handler.seen, within_s=5, what="the live batch is in hand")
    bulk = asyncio.create_task(lanes.bulk(batch("bulk")))
    asyncio.get_running_loop().call_later(0.02, handler.go_on.set)
    assert await bulk == await live == [Outcome.DONE]
    assert handler.seen == ["live begins", "live ends", "bulk begins", "bulk ends"]


async def test_bulk_waits_no_longer_than_its_patience() -> None:
    handler = Handler()
    lanes = Lanes(handler, bulk_patience_s=0.01)
    live = asyncio.create_task(lanes.live(batch("live")))
    await until(lambda: handler.seen, within_s=5, what="the live batch is in hand")
    assert await lanes.bulk(batch("bulk")) == [Outcome.DONE]
    handler.go_on.set()
    await live
    assert handler.seen == ["live begins", "bulk begins", "bulk ends", "live ends"]


async def test_a_failed_live_batch_does_not_block_bulk_for_ever() -> None:
    async def fail(items: Batch) -> Sequence[Outcome]:
        if items[0].event.text == "piece live":
            raise RuntimeError
        return [Outcome.DONE]

    lanes = Lanes(fail, bulk_patience_s=30)
    (failed,) = await asyncio.gather(lanes.live(batch("live")), return_exceptions=True)
    assert isinstance(failed, RuntimeError)
    assert await lanes.bulk(batch("bulk")) == [Outcome.DONE]


def test_what_is_subscribed_to() -> None:
    found = subscriptions(Handler(), ClassifierSection(batch=10, bulk_batch=3))
    assert [(s.topic.name, s.group, s.max_records) for s in found] == [
        ("feedback.received.v1", "classifier", 10),
        ("feedback.received.bulk.v1", "classifier-bulk", 3),
    ]
    assert all(s.group in s.topic.groups for s in found)


def test_settings_come_from_the_environment() -> None:
    settings = load(ClassifierSettings, {"LISTENINGPOST_CLASSIFIER__ENGINE": "constant"})
    assert settings.classifier.engine == "constant"
