"""What follows from a failure, without a broker: records in, outcomes and dead letters out."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, TypeAlias

import pytest
from aiokafka import ConsumerRecord
from prometheus_client import REGISTRY

from shared.bus import policy as policy_module
from shared.bus.dead_letters import DeadLetterWriter
from shared.bus.policy import (
    PAUSES_S,
    TRIES,
    TRY_LIMIT_S,
    WITHIN_S,
    DeadLetterLimit,
    Policy,
    TooManyDeadLetters,
)
from shared.bus.subscription import Outcome, Received, Subscription
from shared.errors import DependencyDown, InvalidInput, PermanentError, Reason, TransientError
from shared.events.topics import RECEIVED
from shared.settings import KafkaSettings, MongoSettings
from tests.support.feedback import piece

Record: TypeAlias = ConsumerRecord[bytes, bytes]


class Grave(DeadLetterWriter):
    """Keeps what is buried; `away` makes it the broker that is not there."""

    def __init__(self) -> None:
        self.buried: list[tuple[int, Reason, str]] = []
        self.away = False

    async def write(self, record: Record, reason: Reason, error: Exception) -> None:
        if self.away:
            raise DependencyDown("kafka")
        self.buried.append((record.offset, reason, type(error).__name__))


class Handler:
    """Does with each piece what `faults` says of its text, every time or the first times only."""

    def __init__(self, **faults: Exception | list[Exception]) -> None:
        self.faults = faults
        self.batches: list[list[str]] = []
        self.attempts: list[int] = []

    async def __call__(self, items: Sequence[Received[Any]]) -> Sequence[Outcome]:
        self.batches.append([item.event.text for item in items])
        self.attempts += [item.attempt for item in items]
        for item in items:
            fault = self.faults.get(item.event.text)
            if isinstance(fault, list):
                fault = fault.pop(0) if fault else None
            if fault is not None:
                raise fault
        return [Outcome.SKIPPED if item.event.text == "skip" else Outcome.DONE for item in items]


def record(offset: int, value: bytes) -> Record:
    return Record(
        topic=RECEIVED.name,
        partition=0,
        offset=offset,
        timestamp=0,
        timestamp_type=0,
        key=b"key",
        value=value,
        checksum=None,
        serialized_key_size=3,
        serialized_value_size=len(value),
        headers=(),
    )


def records(*texts: str) -> list[Record]:
    return [record(n, piece(str(n), text=text).model_dump_json().encode()) for n, text in enumerate(texts)]


def policy(handler: Any, grave: Grave, **limits: float) -> Policy:  # noqa: ANN401 - any handler
    limit = DeadLetterLimit(KafkaSettings.model_validate(limits))
    return Policy(Subscription(RECEIVED, "tests", handler), grave, limit)


def counted(outcome: str, reason: str = "") -> float:
    labels = {"topic": RECEIVED.name, "outcome": outcome, "reason": reason}
    return REGISTRY.get_sample_value("listeningpost_items_total", labels) or 0.0


@pytest.fixture
def grave() -> Grave:
    return Grave()


@pytest.fixture
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pauses between tries."""
    monkeypatch.setattr(policy_module, "PAUSES_S", (0.0, 0.0))


async def test_a_batch_that_works_is_handled_once_and_counted(grave: Grave) -> None:
    handler = Handler()
    done, skipped = counted("done"), counted("skipped")
    await policy(handler, grave).settle(records("a", "skip", "b"))
    assert handler.batches == [["a", "skip", "b"]]
    assert not grave.buried
    assert (counted("done") - done, counted("skipped") - skipped) == (2, 1)


@pytest.mark.parametrize(
    ("fault", "reason", "tries"),
    [
        (PermanentError(Reason.REJECTED, "no"), Reason.REJECTED, 1),
        (InvalidInput(Reason.BAD_TEXT, "never"), Reason.BAD_TEXT, 1),
        (TransientError(Reason.RATE_LIMITED, "later"), Reason.RATE_LIMITED, 3),
        (KeyError("ours"), Reason.INTERNAL, 3),
    ],
)
@pytest.mark.usefixtures("_at_once")
async def test_a_bad_piece_is_buried_and_harms_no_neighbour(
    grave: Grave, fault: Exception, reason: Reason, tries: int
) -> None:
    handler = Handler(bad=fault)
    before, done = counted("dead_letter", reason), counted("done")
    await policy(handler, grave).settle(records("a", "bad", "b"))
    assert grave.buried == [(1, reason, type(fault).__name__)]
    assert handler.batches == [["a", "bad", "b"], ["a"], *[["bad"]] * tries, ["b"]]
    assert counted("dead_letter", reason) - before == 1
    assert counted("done") - done == 2


@pytest.mark.usefixtures("_at_once")
async def test_what_succeeds_at_the_third_try_is_done(grave: Grave) -> None:
    later = TransientError(Reason.UNREACHABLE, "later")
    handler = Handler(bad=[later, later, later])
    await policy(handler, grave).settle(records("bad"))
    assert not grave.buried
    assert handler.attempts == [1, 1, 2, 3]


def test_three_tries_are_within_five_seconds() -> None:
    assert len(PAUSES_S) == TRIES - 1
    assert sum(PAUSES_S) < WITHIN_S == 5.0


@pytest.mark.usefixtures("_at_once")
async def test_no_try_begins_after_the_five_seconds(grave: Grave, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy_module, "WITHIN_S", -1.0)
    handler = Handler(bad=KeyError("ours"))
    await policy(handler, grave).settle(records("bad"))
    assert handler.attempts == [1, 1]
    assert grave.buried == [(0, Reason.INTERNAL, "KeyError")]


async def test_a_dependency_that_is_down_is_no_bad_piece(grave: Grave) -> None:
    handler = Handler(a=DependencyDown("mongodb"))
    with pytest.raises(DependencyDown):
        await policy(handler, grave).settle(records("a", "b"))
    assert handler.batches == [["a", "b"]]
    assert not grave.buried


@pytest.mark.usefixtures("_at_once")
async def test_nor_is_it_when_it_goes_while_the_pieces_are_tried_alone(grave: Grave) -> None:
    handler = Handler(a=[KeyError("ours"), DependencyDown("mongodb")])
    with pytest.raises(DependencyDown):
        await policy(handler, grave).settle(records("a", "b"))
    assert not grave.buried


def test_a_try_is_not_cut_off_before_a_dependency_is_found_away() -> None:
    """Else its pieces would be buried for it: a cut off try cannot say why it took so long."""
    assert KafkaSettings().request_timeout_ms < TRY_LIMIT_S * 1000
    assert MongoSettings().server_selection_timeout_ms < TRY_LIMIT_S * 1000


@pytest.mark.usefixtures("_at_once")
async def test_a_piece_that_never_ends_is_buried(grave: Grave, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy_module, "TRY_LIMIT_S", 0.01)

    async def handler(items: Sequence[Received[Any]]) -> Sequence[Outcome]:
        if len(items) > 1:
            raise KeyError("ours")
        if items[0].event.text == "endless":
            await asyncio.Event().wait()
        return [Outcome.DONE]

    await policy(handler, grave).settle(records("a", "endless"))
    assert grave.buried == [(1, Reason.INTERNAL, "TimeoutError")]


async def test_being_cancelled_is_no_fault_of_a_piece(grave: Grave) -> None:
    started = asyncio.Event()

    async def handler(_: Sequence[Received[Any]]) -> Sequence[Outcome]:
        started.set()
        await asyncio.Event().wait()
        return []

    settling = asyncio.create_task(policy(handler, grave).settle(records("a")))
    await started.wait()
    settling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await settling
    assert not grave.buried


async def test_what_cannot_be_read_is_buried_without_asking_the_handler(grave: Grave) -> None:
    handler = Handler()
    await policy(handler, grave).settle([record(7, b"{"), *records("a")])
    assert grave.buried == [(7, Reason.MALFORMED, "InvalidInput")]
    assert handler.batches == [["a"]]


async def test_a_batch_of_nothing_readable_is_settled(grave: Grave) -> None:
    handler = Handler()
    await policy(handler, grave).settle([record(0, b""), record(1, b"null")])
    assert [offset for offset, _, _ in grave.buried] == [0, 1]
    assert not handler.batches


async def test_a_dead_letter_that_cannot_be_written_blocks_the_commit(grave: Grave) -> None:
    grave.away = True
    with pytest.raises(DependencyDown):
        await policy(Handler(), grave).settle([record(0, b"{")])


@pytest.mark.usefixtures("_at_once")
async def test_a_handler_that_forgets_a_piece_has_not_done_it(grave: Grave) -> None:
    async def handler(items: Sequence[Received[Any]]) -> Sequence[Outcome]:
        return [Outcome.DONE for item in items if item.event.text != "forgotten"]

    await policy(handler, grave).settle(records("a", "forgotten"))
    assert grave.buried == [(1, Reason.INTERNAL, "ValueError")]


async def test_a_run_of_dead_letters_stops_the_consumer(grave: Grave) -> None:
    judge = policy(Handler(), grave, dead_letter_run=3, dead_letter_ratio=1)
    await judge.settle([record(n, b"{") for n in range(3)])
    with pytest.raises(TooManyDeadLetters, match="3 failures in a row"):
        await judge.settle([record(3, b"{")])
    assert len(grave.buried) == 3


async def test_one_success_ends_a_run(grave: Grave) -> None:
    judge = policy(Handler(), grave, dead_letter_run=3, dead_letter_ratio=1)
    for _ in range(3):
        await judge.settle([record(n, b"{") for n in range(2)])
        await judge.settle(records("a"))
    assert len(grave.buried) == 6


async def test_a_share_of_dead_letters_stops_it_once_enough_was_seen(grave: Grave) -> None:
    judge = policy(Handler(), grave, dead_letter_ratio=0.5)
    for _ in range(24):
        await judge.settle([*records("a"), record(1, b"{")])
    await judge.settle([record(n, b"{") for n in range(2)])  # 26 of 50
    with pytest.raises(TooManyDeadLetters, match="26 of the last 50 items failed"):
        await judge.settle([record(2, b"{")])


def test_old_failures_are_forgotten() -> None:
    limit = DeadLetterLimit(KafkaSettings(dead_letter_ratio=0.1))
    for _ in range(60):
        limit.count(dead=True)
    for _ in range(190):
        limit.count(dead=False)
    limit.check()


async def test_the_record_of_an_item_leads_to_its_place(grave: Grave) -> None:
    seen: list[Received[Any]] = []

    async def handler(items: Sequence[Received[Any]]) -> Sequence[Outcome]:
        seen.extend(items)
        return [Outcome.DONE for _ in items]

    await policy(handler, grave).settle(records("a", "b"))
    assert [(item.topic, item.partition, item.offset, item.attempt) for item in seen] == [
        (RECEIVED.name, 0, 0, 1),
        (RECEIVED.name, 0, 1, 1),
    ]
    assert seen[0].trace is None


async def test_what_strangers_send_never_stops_a_consumer() -> None:
    grave = Grave()
    handler = Handler(odd=[InvalidInput(Reason.MAPPING, "it does not fit") for _ in range(9)])
    limit = DeadLetterLimit(KafkaSettings(dead_letter_run=2))
    open_to_all = Policy(Subscription(RECEIVED, "tests", handler, limited=False), grave, limit)
    await open_to_all.settle(records("odd", "odd", "odd", "odd"))
    assert len(grave.buried) == 4
