"""Whether the promises were kept: what was answered with 202 is stored once and told as it should be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from shared.bus.dead_letters import DeadLetter, list_dead_letters
from shared.domain.delivery import State
from shared.store.owners import DELIVERIES, FEEDBACK
from tests.chaos.traffic import Traffic
from tests.load.company import RECIPIENTS
from tests.load.house import Premises
from tests.load.sink import Delivery, Sink
from tests.support.wait import until

SETTLED_WITHIN_S = 120.0
_OPEN = [State.DUE.value, State.SENDING.value]


@dataclass(frozen=True, slots=True)
class Findings:
    """How many deliveries ended as `unknown`, and how many webhook-ids came more than once."""

    unknown: int
    repeated: int


@dataclass(frozen=True, slots=True)
class Row:
    """A delivery as the ledger has it."""

    feedback_id: str
    state: str
    urgent: bool


@dataclass(frozen=True, slots=True)
class Books:
    """What is written of one sender's pieces.

    `texts` by feedback_id, `rows` by the delivery's id; `letters` are the reasons of dead letters.
    """

    texts: Mapping[str, str]
    rows: Mapping[str, Row]
    letters: Sequence[str]


async def settled(house: Premises, traffic: Traffic, within_s: float = SETTLED_WITHIN_S) -> None:
    """Returns when everything of `traffic` is stored, and every delivery of it has ended somehow."""
    feedback = house.store.collection(FEEDBACK.name)
    deliveries = house.store.collection(DELIVERIES.name)

    async def done() -> bool:
        kept = list(traffic.kept)
        stored = await feedback.count_documents({"_id": {"$in": kept}})
        mine = deliveries.find({"feedback_id": {"$in": kept}}, {"state": 1})
        all_has_ended(len(kept), stored, Counter([row["state"] async for row in mine]))
        return True

    await until(done, within_s=within_s, what="everything is stored and delivered")


def all_has_ended(kept: int, stored: int, states: Counter[str]) -> None:
    """Raises AssertionError while one of the `kept` pieces is not stored, or a delivery of theirs is open."""
    assert stored == kept, f"{stored} of {kept} stored"
    planned, wanted = states.total(), kept * RECIPIENTS
    assert planned >= wanted, f"{planned} of {wanted} deliveries planned"
    assert not sum(states[state] for state in _OPEN), f"deliveries: {states}"


async def promises(house: Premises, traffic: Traffic, sink: Sink, *, in_flight: int = 0) -> Findings:
    """Raises AssertionError for a promise that was broken. Only after `settled`.

    `in_flight`: how many deliveries may have been under way when something was killed.
    """
    return judged(await _books(house, traffic), traffic, sink.deliveries, in_flight=in_flight)


def judged(books: Books, traffic: Traffic, came: Sequence[Delivery], *, in_flight: int = 0) -> Findings:
    """As `promises`; `came` is what the receivers got."""
    _stored_once(books, traffic)
    findings = _told(books, traffic, came)
    assert findings.unknown + findings.repeated <= in_flight, f"more than were in flight: {findings}"
    assert not books.letters, f"{len(books.letters)} dead letters, the first: {books.letters[0]}"
    return findings


async def dead_letters(house: Premises, keys: AbstractSet[str]) -> list[DeadLetter]:
    """Those with one of these keys."""
    return [letter async for letter in list_dead_letters(house.kafka_settings) if letter.key in keys]


async def _books(house: Premises, traffic: Traffic) -> Books:
    mine = {"external_id": {"$regex": f"^{traffic.prefix}"}}
    pieces = house.store.collection(FEEDBACK.name).find(mine, {"text": 1})
    rows = house.store.collection(DELIVERIES.name).find({"feedback_id": {"$in": list(traffic.kept)}})
    letters = await dead_letters(house, set(traffic.kept))
    return Books(
        {piece["_id"]: piece["text"] async for piece in pieces},
        {row["_id"]: Row(row["feedback_id"], row["state"], row["urgent"]) async for row in rows},
        [f"{letter.reason} {letter.error}" for letter in letters],
    )


def _stored_once(books: Books, traffic: Traffic) -> None:
    assert not traffic.kept.keys() - books.texts.keys(), "answered with 202, and not stored"
    assert not books.texts.keys() - traffic.kept.keys(), "stored, and never answered with 202"
    for feedback_id, item in traffic.kept.items():
        assert books.texts[feedback_id] == item["text"]


def _told(books: Books, traffic: Traffic, came: Sequence[Delivery]) -> Findings:
    planned = Counter(row.feedback_id for row in books.rows.values())
    assert planned == Counter(dict.fromkeys(traffic.kept, RECIPIENTS)), "not three rows for each piece"
    received = Counter(delivery.webhook_id for delivery in came if delivery.feedback_id in traffic.kept)
    assert not received.keys() - books.rows.keys(), "received, and not in the ledger"
    states = Counter(row.state for row in books.rows.values())
    assert states.keys() <= {State.SENT.value, State.UNKNOWN.value}, f"{states}"
    for row_id, row in books.rows.items():
        if row.state == State.SENT.value:
            assert received[row_id], f"sent, and never received: {row}"
        else:
            assert not row.urgent, f"urgent, and unknown: {row}"
    twice = {row_id: times for row_id, times in received.items() if times > 1}
    assert all(books.rows[row_id].urgent for row_id in twice), "told twice of what is not urgent"
    return Findings(states[State.UNKNOWN.value], len(twice))
