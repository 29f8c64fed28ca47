"""Which pieces are of whom: found by an index, whether they reported it or it was told for them."""

from __future__ import annotations

import pytest

from services.classifier.domain.classified import Stamp, classified
from shared import ids
from shared.events.feedback import Cause, FeedbackClassified, Speaker, Tags
from shared.store.connection import Store
from shared.store.feedback import FeedbackStore
from shared.store.feedback_people import of_people
from shared.store.owners import FEEDBACK
from tests.support.feedback import NOON, piece

DORA = "dora"


def _anonymous(name: str) -> FeedbackClassified:
    feedback_id = piece(name).feedback_id
    return _stored(name, reported_by=Speaker(person_id=ids.anonymous_id(feedback_id)))


def _stored(name: str, **fields: object) -> FeedbackClassified:
    return classified(piece(name, **fields), Cause.RECEIVED, Tags(), Stamp("tests/1", 1, NOON))


@pytest.fixture
def pieces() -> dict[str, FeedbackClassified]:
    return {
        "hers": _stored("hers", reported_by=Speaker(person_id=DORA)),
        "for her": _stored("for her", spoken_for=Speaker(person_id=DORA)),
        "of her account": _stored("of her account", reported_by=Speaker(person_id="bo", account="acme")),
        "another's": _stored("another's"),
        "anonymous": _anonymous("anonymous"),
        "anonymous too": _anonymous("anonymous too"),
    }


@pytest.mark.parametrize(
    ("people", "accounts", "names"),
    [
        ({DORA}, set(), {"hers", "for her"}),
        ({DORA}, {"acme"}, {"hers", "for her", "of her account"}),
        (set(), {"acme"}, {"of her account"}),
        ({"anonymous"}, set(), {"anonymous"}),
        ({DORA, "anonymous"}, set(), {"hers", "for her", "anonymous"}),
        ({"nobody we know"}, set(), set()),
    ],
)
async def test_the_pieces_of_people_are_found(
    store: Store,
    pieces: dict[str, FeedbackClassified],
    people: set[str],
    accounts: set[str],
    names: set[str],
) -> None:
    found = FeedbackStore(store)
    await found.insert_new(list(pieces.values()))
    asked = {pieces[name].reported_by.person_id if name == "anonymous" else name for name in people}
    assert await found.of_people(asked, accounts) == {pieces[name].feedback_id for name in names}


async def test_people_are_found_by_indexes_that_hold_nobody_anonymous(
    store: Store, pieces: dict[str, FeedbackClassified]
) -> None:
    collection = store.collection(FEEDBACK.name)
    await FeedbackStore(store).insert_new(list(pieces.values()))
    plans = [str(await collection.find(query).explain()) for query in of_people({DORA}, ())]
    assert ["by_speaker" in plans[0], "by_spoken_for" in plans[1]] == [True, True]
    entries = await collection.find({}, {"_id": 1}).hint("by_speaker").to_list(None)
    assert {entry["_id"] for entry in entries} == {
        each.feedback_id for name, each in pieces.items() if "anonymous" not in name
    }
