"""Whether the promises were kept: what was answered with 202 is stored once and told as it should be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from shared.bus.dead_letters import DeadLetter, list_dead_letters
from shared.domain.delivery import State
from shared.store.owners import DELIVERIES, FEEDBACK
from tests.chaos.traffic import Traffic
from tests.load.company import RECIPIENTS
from tests.load.house import Premises
from tests.load.sink import Sink
from tests.support.wait import until

SETTLED_WITHIN_S = 120.0
_OPEN = [State.DUE.value, State.SENDING.value]


@dataclass(frozen=True, slots=True)
class Findings:
    """How many deliveries ended as `unknown`, and how many webhook-ids came more than once."""

    unknown: int
    repeated: int


async def settled(house: Premises, traffic: Traffic, within_s: float = SETTLED_WITHIN_S) -> None:
    """Returns when everything of `traffic` is stored, and every delivery of it has ended somehow."""
    feedback = house.store.collection(FEEDBACK.name)
    deliveries = house.store.collection(DELIVERIES.name)

    async def done() -> bool:
        kept = list(traffic.kept)
        stored = await feedback.count_documents({"_id": {"$in": kept}})
        assert stored == len(kept), f"{stored} of {len(kept)} stored"
        rows = Counter(dict.fromkeys(State, 0))
        async for row in deliveries.find({"feedback_id": {"$in": kept}}, {"state": 1}):
            rows[State(row["state"])] += 1
        planned, wanted = rows.total(), len(kept) * RECIPIENTS
        assert planned >= wanted, f"{planned} of {wanted} deliveries planned"
        assert rows[State.DUE] + rows[State.SENDING] == 0, f"deliveries: {rows}"
        return True

    await until(done, within_s=within_s, what="everything is stored and delivered")


async def promises(house: Premises, traffic: Traffic, sink: Sink, *, in_flight: int = 0) -> Findings:
    """Raises AssertionError for a promise that was broken. Only after `settled`.

    `in_flight`: how many deliveries may have been under way when something was killed.
    """
    await _stored_once(house, traffic)
    findings = await _told(house, traffic, sink)
    assert findings.unknown + findings.repeated <= in_flight, f"more than were in flight: {findings}"
    letters = await dead_letters(house, set(traffic.kept))
    assert not letters, f"{len(letters)} dead letters, the first: {letters[0].reason} {letters[0].error}"
    return findings


async def dead_letters(house: Premises, keys: AbstractSet[str]) -> list[DeadLetter]:
    """Those with one of these keys."""
    return [letter async for letter in list_dead_letters(house.kafka_settings) if letter.key in keys]


async def _stored_once(house: Premises, traffic: Traffic) -> None:
    mine = {"external_id": {"$regex": f"^{traffic.prefix}"}}
    documents = house.store.collection(FEEDBACK.name).find(mine, {"text": 1})
    found: dict[str, dict[str, Any]] = {document["_id"]: document async for document in documents}
    assert not traffic.kept.keys() - found.keys(), "answered with 202, and not stored"
    assert not found.keys() - traffic.kept.keys(), "stored, and never answered with 202"
    for feedback_id, item in traffic.kept.items():
        assert found[feedback_id]["text"] == item["text"]


async def _told(house: Premises, traffic: Traffic, sink: Sink) -> Findings:
    mine = {"feedback_id": {"$in": list(traffic.kept)}}
    rows: dict[str, dict[str, Any]] = {
        row["_id"]: row async for row in house.store.collection(DELIVERIES.name).find(mine)
    }
    planned = Counter(row["feedback_id"] for row in rows.values())
    assert planned == Counter(dict.fromkeys(traffic.kept, RECIPIENTS)), "not three rows for each piece"
    received = Counter(
        delivery.webhook_id for delivery in sink.deliveries if delivery.feedback_id in traffic.kept
    )
    assert not received.keys() - rows.keys(), "received, and not in the ledger"
    states = Counter(row["state"] for row in rows.values())
    assert states.keys() <= {State.SENT.value, State.UNKNOWN.value}, f"{states}"
    for row_id, row in rows.items():
        if row["state"] == State.SENT.value:
            assert received[row_id], f"sent, and never received: {row}"
        else:
            assert not row["urgent"], f"urgent, and unknown: {row}"
    twice = {row_id: times for row_id, times in received.items() if times > 1}
    assert all(rows[row_id]["urgent"] for row_id in twice), "told twice of what is not urgent"
    return Findings(states[State.UNKNOWN.value], len(twice))
