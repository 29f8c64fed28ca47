"""Entity tags as RFC 9110 has them: which are named, and when a precondition holds."""

from __future__ import annotations

import pytest

from services.console.domain.precondition import Precondition, etag, precondition, unchanged
from shared.errors import InvalidInput, Reason


@pytest.mark.parametrize(
    ("if_match", "if_none_match", "wanted"),
    [
        ([], [], Precondition()),
        (['"7"'], [], Precondition(frozenset({7}))),
        (['"7", "8"', '"9"'], [], Precondition(frozenset({7, 8, 9}))),
        (['W/"7"'], [], Precondition(frozenset())),
        (['"of-another"'], [], Precondition(frozenset())),
        (['"007"'], [], Precondition(frozenset())),
        (["*"], [], Precondition(there=True)),
        ([], ["*"], Precondition(absent=True)),
    ],
)
def test_what_a_change_asks_for(if_match: list[str], if_none_match: list[str], wanted: Precondition) -> None:
    assert precondition(if_match, if_none_match) == wanted


@pytest.mark.parametrize(
    ("if_match", "if_none_match", "header"),
    [(["7"], [], "If-Match"), (['"7" "8"'], [], "If-Match"), ([], ['"7"'], "If-None-Match")],
)
def test_what_cannot_be_read_is_refused(if_match: list[str], if_none_match: list[str], header: str) -> None:
    with pytest.raises(InvalidInput, match=f"^{header} ") as caught:
        precondition(if_match, if_none_match)
    assert (caught.value.reason, bool(caught.value.remedy)) == (Reason.MALFORMED, True)


@pytest.mark.parametrize(
    ("wanted", "there", "header"),
    [
        (Precondition(there=True), False, "If-Match"),
        (Precondition(absent=True), True, "If-None-Match"),
        (Precondition(there=True), True, None),
        (Precondition(absent=True), False, None),
        (Precondition(frozenset({7})), False, None),
    ],
)
def test_when_it_holds(wanted: Precondition, there: bool, header: str | None) -> None:  # noqa: FBT001
    if header is None:
        wanted.hold(there=there)
        return
    with pytest.raises(InvalidInput) as caught:
        wanted.hold(there=there)
    assert (caught.value.reason, caught.value.field) == (Reason.PRECONDITION, header)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ([], False),
        ([etag(7)], True),
        (['W/"7"'], True),
        (['"6"', '"7"'], True),
        (["*"], True),
        (['"6"'], False),
        (["7"], False),
    ],
)
def test_whoever_has_it_is_not_sent_it_again(sent: list[str], expected: bool) -> None:  # noqa: FBT001
    assert unchanged(sent, 7) is expected
