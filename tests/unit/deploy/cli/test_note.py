"""What `listeningpost note add` makes of what is typed."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import typer

from deploy.cli.note import _happened, _occasion, _party
from shared import clock
from shared.events.feedback import Affiliation, Occasion


@pytest.mark.parametrize(
    ("said", "party"),
    [
        ("Anna Berg <anna@nordwind.example>", {"name": "Anna Berg", "email": "anna@nordwind.example"}),
        ('"Berg, Anna" <anna@nordwind.example>', {"name": "Berg, Anna", "email": "anna@nordwind.example"}),
        ("anna@nordwind.example", {"name": "", "email": "anna@nordwind.example"}),
        ("Anna Berg", {"name": "Anna Berg"}),
        ("Anna (the tall one)", {"name": "Anna (the tall one)"}),
        ("", {"name": ""}),
    ],
)
def test_whose_words_they_are(said: str, party: dict[str, str]) -> None:
    assert _party(said, None) == party
    assert _party(said, Affiliation.PROSPECT) == {**party, "affiliation": "prospect"}


@pytest.mark.parametrize("word", ["user-test", "User test", "user_test"])
def test_a_kind_is_known_however_it_is_written(word: str) -> None:
    assert _occasion(word) is Occasion.USER_TEST


def test_another_kind_is_refused_with_those_there_are() -> None:
    with pytest.raises(typer.BadParameter, match="talk, call, lunch, training, user-test, other"):
        _occasion("brunch")


def test_a_day_is_its_noon_here_and_today_is_just_now() -> None:
    today = clock.now().astimezone().replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    assert _happened(None) is None
    assert _happened(today) is None
    yesterday = _happened(today - timedelta(days=1))
    assert yesterday is not None
    assert (yesterday.hour, yesterday.tzinfo is not None) == (12, True)
    exact = _happened(datetime(2026, 5, 4, 9, 30))  # noqa: DTZ001 - as it is typed
    assert exact is not None
    assert (exact.hour, exact.minute) == (9, 30)
