from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from services.ingest.domain.check import check
from services.ingest.domain.submission import File
from shared import clock
from shared.errors import InvalidInput, Reason
from shared.events.feedback import Change, Rating
from tests.support.submissions import RECEIVED_AT, submission

FILE = File("a.png", "image/png", b"x")


@pytest.mark.parametrize(
    "fields",
    [
        {"text": ""},
        {"text": " \n\t\u00a0"},
        {"text": "\x00\x07\u200b\ufeff"},
        {"text": "\ud800"},
        {"text": "", "title": " ", "strict": False},
        {"text": "", "title": "a subject", "strict": True},
    ],
)
def test_nothing_said_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput) as refused:
        check(submission(**fields), RECEIVED_AT)
    assert (refused.value.reason, refused.value.field) == (Reason.EMPTY, "text")
    assert refused.value.remedy


@pytest.mark.parametrize(
    "fields",
    [
        {"text": "", "files": (FILE,)},
        {"text": "", "files": (FILE,), "strict": True},
        {"text": "", "title": "only a subject"},
        {"text": "👍"},
        {"text": "", "change": Change.DELETED, "external_id": "1"},
    ],
)
def test_something_said_is_taken(fields: dict[str, Any]) -> None:
    given = submission(**fields)
    assert check(given, RECEIVED_AT).submission == given


def test_a_deletion_must_say_of_what() -> None:
    with pytest.raises(InvalidInput) as refused:
        check(submission(change=Change.DELETED, external_id=" "), RECEIVED_AT)
    assert (refused.value.reason, refused.value.field) == (Reason.MISSING_FIELD, "external_id")


ABSURD: list[tuple[str, Any]] = [
    ("occurred_at", datetime(2026, 5, 4, 9, 0)),  # noqa: DTZ001 - naive on purpose
    ("occurred_at", RECEIVED_AT + timedelta(days=2)),
    ("occurred_at", datetime(1, 1, 1, tzinfo=UTC)),
    ("occurred_at", datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14)))),
    ("occurred_at", datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-12)))),
    ("occurred_at", datetime(1970, 1, 1, tzinfo=UTC)),
    ("revision", -1),
    ("revision", 2**63),
    ("revision", clock.to_us(RECEIVED_AT + timedelta(days=2))),
    ("rating", Rating(value=float("nan"), min=0, max=5)),
    ("rating", Rating(value=6, min=0, max=5)),
    ("rating", Rating(value=1, min=0, max=float("inf"))),
]


@pytest.mark.parametrize(("field", "value"), ABSURD)
def test_what_is_absurd_is_refused_where_the_sender_can_mend_it(field: str, value: object) -> None:
    with pytest.raises(InvalidInput) as refused:
        check(submission(strict=True, **{field: value}), RECEIVED_AT)
    assert refused.value.field.startswith(field)
    assert refused.value.remedy


@pytest.mark.parametrize(("field", "value"), ABSURD)
def test_what_is_absurd_is_mended_where_nobody_would_send_it_again(field: str, value: object) -> None:
    checked = check(submission(**{field: value}), RECEIVED_AT)
    assert checked.mended == (field,)
    assert getattr(checked.submission, field) is None


@pytest.mark.parametrize(
    "fields",
    [
        {"occurred_at": RECEIVED_AT + timedelta(hours=14)},
        {"occurred_at": datetime(1995, 1, 1, tzinfo=UTC)},
        {"revision": 0},
        {"revision": 7},
        {"revision": clock.to_us(RECEIVED_AT)},
        {"rating": Rating(value=0, min=0, max=10, kind="nps")},
    ],
)
def test_what_is_possible_is_taken(fields: dict[str, Any]) -> None:
    given = submission(strict=True, **fields)
    assert check(given, RECEIVED_AT).submission == given
