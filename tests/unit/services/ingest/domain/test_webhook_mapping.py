from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.domain.submission import Claim, Submission
from services.ingest.domain.webhook.mapping import MAX_ITEMS, Mapped, Mapper
from shared.domain.webhook import Webhook
from shared.errors import InvalidInput, Reason
from shared.events.feedback import Affiliation, Change, Rating

_VERIFY = {"scheme": "token", "secret": "secret:x"}


def mapper(**declared: object) -> Mapper:
    fields = {"id": "hook", "source": "acme", "verify": _VERIFY, "map": {"text": "text"}} | declared
    return Mapper(Webhook.model_validate(fields))


def mapped(body: object, only: tuple[int, ...] = (), **declared: object) -> Mapped:
    return mapper(**declared).map(json.dumps(body).encode(), only, None)


def one(body: object, **fields: str) -> Submission:
    found = mapped(body, map={"text": "text", **fields})
    assert not found.faults
    return found.submissions[0]


def test_a_survey_answer_becomes_a_piece() -> None:
    body = {
        "data": {"comment": "Too slow", "score": "3", "who": {"mail": "ann@x.example", "name": "Ann"}},
        "id": 77,
        "at": 1_777_887_000,
    }
    found = mapped(
        body,
        channel="survey",
        touchpoint="invoice",
        affiliation="customer",
        map={
            "text": "data.comment",
            "external_id": "id",
            "revision": "at",
            "occurred_at": "at",
            "author.email": "data.who.mail",
            "author.name": "data.who.name",
            "author.verified": "`true`",
            "rating.value": "data.score",
            "rating.min": "`0`",
            "rating.max": "`10`",
            "rating.kind": "'nps'",
        },
    )
    piece = found.submissions[0]
    assert (piece.channel, piece.source, piece.external_id) == ("survey", "acme", "77")
    assert (piece.text, piece.hints.touchpoint) == ("Too slow", "invoice")
    assert piece.reported_by == Claim("email", "ann@x.example", "Ann", verified=True)
    assert piece.rating == Rating(value=3, min=0, max=10, kind="nps")
    assert piece.affiliation is Affiliation.CUSTOMER
    assert piece.occurred_at == datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
    assert not piece.strict


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2026-05-04T09:30:00Z", datetime(2026, 5, 4, 9, 30, tzinfo=UTC)),
        ("2026-05-04T11:30:00+02:00", datetime(2026, 5, 4, 9, 30, tzinfo=UTC)),
        ("2026-05-04 09:30", datetime(2026, 5, 4, 9, 30, tzinfo=UTC)),
        (1_777_887_000, datetime(2026, 5, 4, 9, 30, tzinfo=UTC)),
        ("1777887000", datetime(2026, 5, 4, 9, 30, tzinfo=UTC)),
        (1_777_887_000_000, datetime(2026, 5, 4, 9, 30, tzinfo=UTC)),
    ],
)
def test_times_as_people_write_them(value: object, moment: datetime) -> None:
    assert one({"text": "x", "at": value}, occurred_at="at").occurred_at == moment


def test_a_version_number_is_one_and_a_time_is_the_edit_in_microseconds() -> None:
    assert one({"text": "x", "v": 4}, revision="v").revision == 4
    assert one({"text": "x", "v": "4"}, revision="v").revision == 4
    assert one({"text": "x", "v": "2026-05-04T09:30:00Z"}, revision="v").revision == 1_777_887_000_000_000


def test_what_is_not_there_is_left_out() -> None:
    piece = one(
        {"text": "x"},
        **{"author.email": "who.mail", "rating.value": "score", "rating.max": "`5`", "url": "u"},
    )
    assert (piece.url, piece.rating, piece.reported_by.address) == (None, None, "")


def test_several_texts_are_paragraphs_and_numbers_become_text() -> None:
    assert one({"text": ["One.", None, "Two."]}).text == "One.\n\nTwo."
    assert one({"text": 4.5}).text == "4.5"


def test_a_deletion_is_one() -> None:
    piece = one({"gone": "deleted", "id": "7"}, change="gone", external_id="id")
    assert (piece.change, piece.external_id) == (Change.DELETED, "7")


def test_several_pieces_in_one_request_and_some_that_are_none() -> None:
    body = {
        "responses": [{"text": "A", "done": True}, {"text": "B", "done": False}, {"text": {}, "done": True}]
    }
    found = mapped(body, items="responses", skip="!done")
    assert {number: piece.text for number, piece in found.submissions.items()} == {0: "A"}
    assert found.skipped == 1
    assert found.faults[2].reason is Reason.MAPPING
    assert found.faults[2].field == "map/text"


def test_the_same_body_again_is_the_same_pieces_whatever_names_them() -> None:
    body = [{"text": "A"}, {"text": "A"}, {"text": "B"}]
    first, again = mapped(body, items="@"), mapped(body, items="@")
    keys = [(piece.retry_key, piece.ordinal) for piece in first.submissions.values()]
    assert keys == [(piece.retry_key, piece.ordinal) for piece in again.submissions.values()]
    assert all(key for key, _ in keys)


def test_zero_is_true_for_jmespath_and_skips() -> None:
    assert mapped({"text": "A", "n": 0}, skip="n").skipped == 1
    assert mapped({"text": "A", "n": []}, skip="n").skipped == 0


def test_only_some_of_the_items_are_tried_again() -> None:
    found = mapped([{"text": "A"}, {"text": "B"}], only=(1,), items="@")
    assert [piece.text for piece in found.submissions.values()] == ["B"]


def test_equal_items_of_one_request_stay_two() -> None:
    found = mapped([{"text": "A"}, {"text": "A"}], items="@")
    assert [piece.ordinal for piece in found.submissions.values()] == [0, 1]


@pytest.mark.parametrize(
    ("body", "fields", "where"),
    [
        ({"text": {"a": 1}}, {}, "map/text"),
        ({"text": True}, {}, "map/text"),
        ({"text": [["a"]]}, {}, "map/text"),
        ({"text": "x", "v": "²"}, {"revision": "v"}, "map/revision"),
        ({"text": "x", "at": "yesterday"}, {"occurred_at": "at"}, "map/occurred_at"),
        ({"text": "x", "score": "many"}, {"rating.value": "score"}, "map/rating.value"),
        ({"text": "x", "mail": "nobody"}, {"author.email": "mail"}, "map/author.email"),
        ({"text": "x", "change": "vanished"}, {"change": "change"}, "map/change"),
        ({"text": "x", "n": "word"}, {"title": "abs(n)"}, "map/title"),
    ],
)
def test_a_mapping_that_does_not_fit_says_which_and_what_to_do(
    body: object, fields: dict[str, str], where: str
) -> None:
    fault = mapped(body, map={"text": "text", **fields}).faults[0]
    assert (fault.reason, fault.field) == (Reason.MAPPING, where)
    assert "replay" in fault.remedy


def test_items_must_lead_to_a_list_of_bounded_length() -> None:
    with pytest.raises(InvalidInput, match="not to a list"):
        mapped({"items": {}}, items="items")
    with pytest.raises(InvalidInput, match="more than"):
        mapped([{}] * (MAX_ITEMS + 1), items="@")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
_EVERYTHING = {
    **dict.fromkeys(("text", "title", "external_id", "revision", "change", "occurred_at", "url"), "a"),
    "author.email": "a",
    "rating.value": "b",
    "rating.min": "c",
    "confidential": "b",
    "on_behalf_of.name": "c",
}


@given(_JSON | st.fixed_dictionaries({"a": _JSON, "b": _JSON, "c": _JSON}))
def test_no_body_ends_in_anything_but_a_piece_or_a_fault(body: object) -> None:
    found = mapper(map=_EVERYTHING).map(json.dumps(body).encode(), (), None)
    assert len(found.submissions) + len(found.faults) == 1
