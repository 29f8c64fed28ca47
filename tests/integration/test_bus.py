"""The bus on a real broker: two exits a batch, dead letters, limits, and what a replay puts back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from shared.bus.admin import describe, ensure_topics
from shared.bus.consumer import Consumer
from shared.bus.dead_letters import DeadLetter, list_dead_letters, replay
from shared.bus.publisher import Publisher
from shared.bus.subscription import Outcome, Received, Subscription
from shared.bus.tail import follow
from shared.errors import DependencyDown, PermanentError, Reason
from shared.events.topics import RECEIVED
from shared.settings import KafkaSettings
from tests.support.feedback import piece
from tests.support.wait import until

Batch = Sequence[Received[Any]]
Handler = Callable[[Batch], Awaitable[Sequence[Outcome]]]
WITHIN_S = 30.0


@asynccontextmanager
async def consuming(
    kafka: KafkaSettings, publisher: Publisher, handler: Handler, *, max_records: int = 2
) -> AsyncIterator[Consumer]:
    subscription = Subscription(RECEIVED, "classifier", handler, max_records=max_records)
    consumer = Consumer(kafka, [subscription], publisher, "tests")
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()


class Recorder:
    """A handler that remembers texts, and raises what `faults` say: text → error, taken off at each pass."""

    def __init__(self, faults: dict[str, list[Exception]] | None = None) -> None:
        self.texts: list[str] = []
        self.faults = faults or {}

    async def __call__(self, batch: Batch) -> Sequence[Outcome]:
        for received in batch:
            waiting = self.faults.get(received.event.text)
            if waiting:
                raise waiting.pop(0)
        self.texts.extend(received.event.text for received in batch)
        return [Outcome.DONE] * len(batch)


async def dead(kafka: KafkaSettings) -> list[DeadLetter]:
    return [letter async for letter in list_dead_letters(kafka)]


def pieces(count: int) -> list[Any]:
    return [piece(str(number)) for number in range(count)]


def texts(count: int) -> set[str]:
    return {f"piece {number}" for number in range(count)}


async def test_topics_are_made_once_and_described(kafka: KafkaSettings) -> None:
    assert await ensure_topics(kafka) == []
    assert all(state.partitions == state.declared_partitions for state in await describe(kafka))


async def test_a_missing_topic_is_named_with_its_remedy(kafka: KafkaSettings, publisher: Publisher) -> None:
    elsewhere = kafka.model_copy(update={"topic_prefix": "nowhere."})
    consumer = Consumer(elsewhere, [Subscription(RECEIVED, "classifier", Recorder())], publisher, "tests")
    try:
        await consumer.start()
    except DependencyDown as error:
        assert "listeningpost topics" in str(error)  # noqa: PT017 - the message is what is tested
    else:
        raise AssertionError("it started without its topic")


async def test_raise_in_batch_1_and_succeed_in_batch_2_misses_nothing(
    kafka: KafkaSettings, publisher: Publisher
) -> None:
    await publisher.publish(RECEIVED, pieces(12))
    recorder = Recorder({"piece 0": [DependencyDown("mongodb")]})
    async with consuming(kafka, publisher, recorder):
        await until(lambda: texts(12) <= set(recorder.texts), within_s=WITHIN_S, what="all pieces")
    assert sorted(recorder.texts) == sorted(texts(12)), (
        "the batch given back was not handled, so nothing twice"
    )
    assert await dead(kafka) == []


async def test_what_was_settled_is_committed_and_not_read_again(
    kafka: KafkaSettings, publisher: Publisher
) -> None:
    await publisher.publish(RECEIVED, pieces(6))
    first, second = Recorder(), Recorder()
    async with consuming(kafka, publisher, first):
        await until(lambda: texts(6) <= set(first.texts), within_s=WITHIN_S, what="all pieces")
    await publisher.publish(RECEIVED, [piece("late")])
    async with consuming(kafka, publisher, second):
        await until(lambda: second.texts, within_s=WITHIN_S, what="the late piece")
    assert second.texts == ["piece late"]


async def test_one_bad_item_becomes_a_dead_letter_and_its_neighbours_do_not(
    kafka: KafkaSettings, publisher: Publisher
) -> None:
    await publisher.publish(RECEIVED, pieces(10))
    recorder = Recorder({"piece 3": [ValueError("the customer said: secret text")] * 4})
    async with consuming(kafka, publisher, recorder, max_records=10):
        await until(lambda: len(set(recorder.texts)) == 9, within_s=WITHIN_S, what="the neighbours")
        (letter,) = await until(lambda: dead(kafka), within_s=WITHIN_S, what="the dead letter")
    assert (letter.reason, letter.error) == ("internal", "ValueError")
    assert letter.origin_topic == RECEIVED.name


async def test_a_permanent_error_is_not_tried_again(kafka: KafkaSettings, publisher: Publisher) -> None:
    await publisher.publish(RECEIVED, pieces(1))
    faults: list[Exception] = [PermanentError(Reason.REJECTED, "no") for _ in range(4)]
    async with consuming(kafka, publisher, Recorder({"piece 0": faults})):
        (letter,) = await until(lambda: dead(kafka), within_s=WITHIN_S, what="the dead letter")
    assert letter.reason == "rejected"
    assert len(faults) == 2, "once with its batch, once alone"


async def test_bytes_that_are_no_event_and_headers_that_are_no_text_harm_nobody(
    kafka: KafkaSettings, publisher: Publisher
) -> None:
    odd = ("x-odd", b"\xff\xfe")
    await publisher.publish_raw(RECEIVED.name, [(b"key", b"{broken", [odd]), (b"key", None, [odd])])
    await publisher.publish(RECEIVED, pieces(3))
    recorder = Recorder()
    async with consuming(kafka, publisher, recorder, max_records=50):
        await until(lambda: texts(3) == set(recorder.texts), within_s=WITHIN_S, what="the good ones")

        async def both() -> bool:
            return len(await dead(kafka)) == 2

        await until(both, within_s=WITHIN_S, what="both dead letters")
    letters = await dead(kafka)
    assert {letter.reason for letter in letters} == {"malformed"}
    assert all(odd in letter.record[2] for letter in letters), "the original headers are kept"


async def test_a_replayed_dead_letter_arrives_and_is_marked(
    kafka: KafkaSettings, publisher: Publisher
) -> None:
    await publisher.publish(RECEIVED, pieces(1))
    recorder = Recorder({"piece 0": [ValueError("broken release")] * 4})
    async with consuming(kafka, publisher, recorder):
        (letter,) = await until(lambda: dead(kafka), within_s=WITHIN_S, what="the dead letter")
        assert not letter.replayed
        await replay(publisher, letter)
        await until(lambda: recorder.texts == ["piece 0"], within_s=WITHIN_S, what="the replayed piece")
    assert [again.replayed for again in await dead(kafka)] == [True]


async def test_too_many_dead_letters_stop_the_consumer_before_it_drains_the_topic(
    kafka: KafkaSettings, publisher: Publisher
) -> None:
    limited = kafka.model_copy(update={"dead_letter_run": 5})
    await publisher.publish_raw(RECEIVED.name, [(str(n).encode(), b"nonsense", []) for n in range(20)])
    async with consuming(limited, publisher, Recorder(), max_records=100) as consumer:
        problem = await until(consumer.problem, within_s=WITHIN_S, what="the consumer says it stopped")
        assert "5 failures in a row" in str(problem)
    assert len(await dead(limited)) == 5


async def test_a_batch_in_hand_is_finished_and_committed_at_stop(
    kafka: KafkaSettings, publisher: Publisher
) -> None:
    entered, leave = asyncio.Event(), asyncio.Event()
    seen: list[str] = []

    async def slow(batch: Batch) -> Sequence[Outcome]:
        entered.set()
        await leave.wait()
        seen.extend(received.event.text for received in batch)
        return [Outcome.DONE] * len(batch)

    await publisher.publish(RECEIVED, pieces(1))
    async with consuming(kafka, publisher, slow) as consumer:
        await asyncio.wait_for(entered.wait(), WITHIN_S)
        stopping = asyncio.create_task(consumer.stop())
        leave.set()
        await stopping
    assert seen == ["piece 0"]
    again = Recorder()
    await publisher.publish(RECEIVED, [piece("late")])
    async with consuming(kafka, publisher, again):
        await until(lambda: again.texts, within_s=WITHIN_S, what="the late piece")
    assert again.texts == ["piece late"]


async def test_an_event_over_the_limit_is_refused_before_anything_is_sent(
    kafka: KafkaSettings, publisher: Publisher
) -> None:
    large = piece("large", text="€" * 100_000, url="x" * 700_000)
    try:
        await publisher.publish(RECEIVED, [piece("small"), large])
    except PermanentError as error:
        assert error.reason is Reason.TOO_LARGE  # noqa: PT017 - one assertion on the one error expected
    else:
        raise AssertionError("it was sent")
    await publisher.publish(RECEIVED, [piece("after")])
    async for received in follow(kafka, RECEIVED, from_start=True):
        assert received.event.text == "piece after"  # type: ignore[attr-defined]
        assert received.trace
        break
