"""The ledger on a real database: planned once, claimed by one, recorded by whoever holds the claim."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import fields, replace
from datetime import timedelta

import pytest
from pydantic import SecretStr

from shared import clock
from shared.domain.delivery import (
    WITHDRAWN,
    Attempt,
    Content,
    Delivery,
    ProviderRef,
    Purpose,
    Settled,
    State,
    Target,
)
from shared.errors import DependencyDown
from shared.settings import MongoSettings
from shared.store.connection import Store
from shared.store.deliveries import Claimed, DeliveryStore
from tests.support.notifier_house import a_row

MINUTE = timedelta(minutes=1)
CONTENT = Content(title="Invoice", text="It is wrong", polarity="change")


@pytest.fixture
def ledger(store: Store) -> DeliveryStore:
    return DeliveryStore(store)


async def one(ledger: DeliveryStore, delivery_id: str = "d-0001") -> Delivery:
    return (await ledger.by_ids([delivery_id]))[delivery_id]


async def claim(ledger: DeliveryStore, most: int = 100) -> list[Claimed]:
    now = clock.now()
    return await ledger.claim_due(most, now, now + MINUTE)


def outcome(state: State, attempt: Attempt = Attempt.SENT, **changes: object) -> Settled:
    ref = ProviderRef("email", "a@b.example", "<1@x>") if state is State.SENT else None
    return replace(Settled(attempt, state, 0, clock.now(), provider_ref=ref), **changes)  # type: ignore[arg-type]


class TestPlanning:
    async def test_a_row_comes_back_as_it_was_laid_down(self, ledger: DeliveryStore) -> None:
        now = clock.now()
        everything = Content(
            title="t",
            text="x\ny",
            shortened=True,
            who="Cora",
            channel="mail",
            url="https://a.example",
            touchpoints=("Invoice", "Quote"),
            lenses=("design",),
            polarity="keep",
            kind="idea",
            about="us",
            urgency_reasons=("a customer may leave",),
            attachments=("a.png",),
            rating="1 of 5",
            language="de",
            needs_triage=True,
            triage_reason="no touchpoint fits",
            confidential=True,
            occurred_at=now,
        )
        assert all(getattr(everything, field.name) != field.default for field in fields(Content))
        chain = (
            Target("slack", "C1", thread="1.2"),
            Target("webhook", "https://a.example", secret="secret:a"),
        )
        row = a_row(
            chain=chain,
            content=everything,
            why=("You own *Invoice*",),
            urgent=True,
            amends="d-9",
            in_place_only=True,
            trace="00-1-2-01",
        )
        await ledger.add([row])
        assert await one(ledger) == row

    async def test_planning_again_adds_nothing_and_changes_nothing(self, ledger: DeliveryStore) -> None:
        assert await ledger.add([a_row(1), a_row(2)]) == 2
        assert await ledger.add([a_row(2, urgent=True), a_row(3), a_row(1)]) == 1
        assert not (await one(ledger, "d-0002")).urgent

    async def test_two_replicas_that_plan_the_same_at_once_add_it_once(self, ledger: DeliveryStore) -> None:
        rows = [a_row(number) for number in range(300)]
        added = await asyncio.gather(*(ledger.add(rows) for _ in range(4)))
        assert sum(added) == 300


class TestClaiming:
    async def test_no_row_is_claimed_twice(self, ledger: DeliveryStore) -> None:
        await ledger.add([a_row(number) for number in range(400)])

        async def work() -> list[str]:
            mine: list[str] = []
            while claimed := await claim(ledger, most=17):
                mine += [one.delivery.id for one in claimed]
            return mine

        shares = await asyncio.gather(*(work() for _ in range(6)))
        # A worker may come away empty while the others hold what it saw; nothing is lost by that.
        rest = await work()
        times = Counter(row for share in (*shares, rest) for row in share)
        assert len(times) == 400
        assert set(times.values()) == {1}

    async def test_urgent_ones_first_then_the_oldest_and_none_before_its_time(
        self, ledger: DeliveryStore
    ) -> None:
        now = clock.now()
        await ledger.add(
            [
                a_row(1, due_at=now - 3 * MINUTE),
                a_row(2, due_at=now - 9 * MINUTE),
                a_row(3, due_at=now - MINUTE, urgent=True),
                a_row(4, due_at=now + MINUTE),
                a_row(5, due_at=now + MINUTE, urgent=True),
                a_row(6, state=State.FAILED),
            ]
        )
        assert [one.delivery.id for one in await claim(ledger, most=2)] == ["d-0003", "d-0002"]
        assert [one.delivery.id for one in await claim(ledger)] == ["d-0001"]
        assert await claim(ledger) == []

    async def test_what_was_edited_before_the_claim_is_claimed_as_edited(self, ledger: DeliveryStore) -> None:
        await ledger.add([a_row(1, content=CONTENT)])
        await ledger.refresh("f-1", 2, replace(CONTENT, text="It was wrong"))
        (claimed,) = await claim(ledger)
        assert claimed.delivery.content.text == "It was wrong"
        assert claimed.delivery.revision == 2

    async def test_a_silent_worker_s_rows_are_taken_over_after_the_lease(self, ledger: DeliveryStore) -> None:
        await ledger.add([a_row(1), a_row(2)])
        now = clock.now()
        await ledger.claim_due(10, now, now + MINUTE)
        assert await ledger.claim_expired(10, now, now + MINUTE) == []
        later = now + 2 * MINUTE
        (taken,) = await ledger.claim_expired(10, later, later + MINUTE, not_these=["d-0002"])
        assert taken.taken_over
        assert taken.delivery.claimed_at == now

    async def test_a_lease_that_is_renewed_does_not_run_out(self, ledger: DeliveryStore) -> None:
        await ledger.add([a_row(1)])
        now = clock.now()
        claimed = await ledger.claim_due(10, now, now + MINUTE)
        await ledger.renew(claimed, now + 5 * MINUTE)
        assert await ledger.claim_expired(10, now + 2 * MINUTE, now + 3 * MINUTE) == []


class TestRecording:
    async def test_sent(self, ledger: DeliveryStore) -> None:
        await ledger.add([a_row(1)])
        (claimed,) = await claim(ledger)
        await ledger.record([(claimed, outcome(State.SENT))], clock.now())
        row = await one(ledger)
        assert row.state is State.SENT
        assert row.provider_ref == ProviderRef("email", "a@b.example", "<1@x>")
        assert await ledger.claim_expired(10, clock.now() + 9 * MINUTE, clock.now() + 10 * MINUTE) == []

    async def test_whoever_lost_the_claim_changes_nothing(self, ledger: DeliveryStore) -> None:
        await ledger.add([a_row(1)])
        (slow,) = await claim(ledger)
        later = clock.now() + 2 * MINUTE
        (quick,) = await ledger.claim_expired(10, later, later + MINUTE)
        await ledger.record([(quick, outcome(State.UNKNOWN, Attempt.UNKNOWN))], later)
        await ledger.record([(slow, outcome(State.SENT))], later)
        assert (await one(ledger)).state is State.UNKNOWN

    async def test_again_later(self, ledger: DeliveryStore, store: Store) -> None:
        await ledger.add([a_row(1)])
        (claimed,) = await claim(ledger)
        due_at = clock.now() + MINUTE
        again = Settled(Attempt.TRANSIENT, State.DUE, 0, due_at, 1, clock.now(), "unreachable: away")
        await ledger.record([(claimed, again)], clock.now())
        row = await one(ledger)
        assert (row.state, row.due_at, row.tries, row.problem) == (State.DUE, due_at, 1, "unreachable: away")
        document = await store.collection("deliveries").find_one({"_id": "d-0001"})
        assert document is not None
        assert [entry["outcome"] for entry in document["attempts"]] == ["transient"]
        assert "claim" not in document

    async def test_who_must_be_asked_is_found_when_it_is_time(self, ledger: DeliveryStore) -> None:
        await ledger.add([a_row(1)])
        (claimed,) = await claim(ledger)
        ask_at = clock.now() + MINUTE
        asking = Settled(Attempt.UNKNOWN, State.SENDING, 0, ask_at, 1, clock.now())
        await ledger.record([(claimed, asking)], clock.now())
        assert await ledger.claim_expired(10, clock.now(), ask_at + MINUTE) == []
        (taken,) = await ledger.claim_expired(10, ask_at, ask_at + MINUTE)
        assert taken.delivery.id == "d-0001"

    async def test_the_history_is_bounded(self, ledger: DeliveryStore, store: Store) -> None:
        await ledger.add([a_row(1)])
        for _ in range(25):
            (claimed,) = await claim(ledger)
            await ledger.record([(claimed, outcome(State.DUE, Attempt.TRANSIENT))], clock.now())
        document = await store.collection("deliveries").find_one({"_id": "d-0001"})
        assert document is not None
        assert len(document["attempts"]) == 20


class TestDeletedPieces:
    async def test_what_is_unsent_is_cancelled_and_nothing_shows_the_words(
        self, ledger: DeliveryStore, store: Store
    ) -> None:
        await ledger.add([a_row(number, content=CONTENT) for number in (1, 2, 3)])
        await ledger.add([a_row(4, feedback_id="f-2", content=CONTENT)])
        first, second = (await claim(ledger, most=2))[:2]
        await ledger.record([(first, outcome(State.SENT))], clock.now())
        await ledger.withdraw("f-1")
        rows = {row.id: row for row in (await ledger.of_pieces(["f-1"]))["f-1"]}
        assert Counter(row.state for row in rows.values()) == {
            State.SENT: 1,
            State.SENDING: 1,
            State.CANCELLED: 1,
        }
        assert all(row.content == WITHDRAWN for row in rows.values())
        assert rows[second.delivery.id].state is State.SENDING
        assert (await one(ledger, "d-0004")).content == CONTENT
        assert "It is wrong" not in str(
            await store.collection("deliveries").find({"feedback_id": "f-1"}).to_list(None)
        )

    async def test_what_was_in_hand_does_not_go_out_a_second_time(self, ledger: DeliveryStore) -> None:
        await ledger.add([a_row(1, content=CONTENT)])
        (claimed,) = await claim(ledger)
        await ledger.withdraw("f-1")
        await ledger.record([(claimed, outcome(State.DUE, Attempt.TRANSIENT))], clock.now())
        row = await one(ledger)
        assert (row.state, row.problem) == (State.CANCELLED, "the piece was deleted")

    async def test_what_takes_it_back_is_not_cancelled(self, ledger: DeliveryStore) -> None:
        await ledger.add([a_row(1, purpose=Purpose.REDACTION)])
        await ledger.withdraw("f-1")
        assert (await one(ledger)).state is State.DUE


class TestEditedPieces:
    async def test_only_unsent_notices_of_an_older_text_follow(self, ledger: DeliveryStore) -> None:
        newer = replace(CONTENT, text="newer")
        await ledger.add(
            [
                a_row(1, content=CONTENT),
                a_row(2, content=newer, revision=5),
                a_row(3, content=CONTENT, purpose=Purpose.ACKNOWLEDGEMENT),
                a_row(4, content=CONTENT, state=State.SENT),
                a_row(5, content=CONTENT, purpose=Purpose.AMENDMENT),
                a_row(6, content=CONTENT, purpose=Purpose.AMENDMENT, revision=3),
            ]
        )
        await ledger.refresh("f-1", 3, replace(CONTENT, text="edited"))
        rows = {row.id: row for row in (await ledger.of_pieces(["f-1"]))["f-1"]}
        texts = [rows[f"d-000{number}"].content.text for number in range(1, 7)]
        assert texts == ["edited", "newer", "It is wrong", "It is wrong", "It is wrong", "It is wrong"]
        assert rows["d-0005"].state is State.CANCELLED
        assert rows["d-0006"].state is State.DUE


async def test_the_backlog(ledger: DeliveryStore) -> None:
    assert (await ledger.backlog()).oldest_due_at is None
    oldest = clock.now() - MINUTE
    await ledger.add([a_row(1, due_at=oldest), a_row(2), a_row(3, state=State.FAILED)])
    backlog = await ledger.backlog()
    assert (backlog.waiting, backlog.oldest_due_at) == (2, oldest)
    assert (backlog.oldest_urgent_at, backlog.oldest_other_at) == (None, oldest)


async def test_what_is_in_hand_and_what_is_tried_again_is_as_old_as_its_plan(ledger: DeliveryStore) -> None:
    """However often a receiver that is away is tried, and whoever has it: nobody was told."""
    planned = clock.now() - 10 * MINUTE
    await ledger.add([a_row(1, due_at=planned, urgent=True), a_row(2, due_at=planned)])
    claimed = await ledger.claim_due(2, clock.now(), clock.now() + MINUTE)
    later = replace(outcome(State.DUE), due_at=clock.now() + MINUTE)
    await ledger.record([(claimed[1], later)], clock.now())
    backlog = await ledger.backlog()
    assert (backlog.oldest_urgent_at, backlog.oldest_other_at) == (planned, planned)
    assert backlog.waiting == 1
    assert backlog.oldest_due_at == later.due_at


async def test_a_store_that_is_away_is_said_to_be_away() -> None:
    nowhere = MongoSettings(
        uri=SecretStr("mongodb://127.0.0.1:9/?directConnection=true"), server_selection_timeout_ms=100
    )
    store = Store(nowhere)
    ledger = DeliveryStore(store)
    now = clock.now()
    claimed = Claimed(a_row(1), "token")
    for asked in (
        ledger.add([a_row(1)]),
        ledger.of_pieces(["f-1"]),
        ledger.by_ids(["d-1"]),
        ledger.claim_due(1, now, now),
        ledger.record([(claimed, outcome(State.SENT))], now),
        ledger.renew([claimed], now),
        ledger.withdraw("f-1"),
        ledger.backlog(),
    ):
        with pytest.raises(DependencyDown):
            await asked
    await store.stop()
