"""The first administrator's link: made of an id and a key, and of nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.invitation import Invitation, id_in, token

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ID = "0123456789abcdef"


def test_a_link_names_its_invitation() -> None:
    assert id_in(f"https://post.example/first#{token(ID, 'key')}", "key") == ID
    assert id_in(f"  {token(ID, 'key')}\n", "key") == ID
    assert token(ID, "key") == token(ID, "key")


@pytest.mark.parametrize(
    "pasted",
    [
        "",
        "lpi_",
        token(ID, "another key"),
        token(ID, "key")[:-1],
        token(ID, "key").replace(ID, ID[::-1]),
        token(ID, "key").upper(),
    ],
)
def test_what_the_key_did_not_make_names_none(pasted: str) -> None:
    assert id_in(pasted, "key") is None


@pytest.mark.parametrize(
    ("accepted_at", "left_s", "holds"), [(None, 1, True), (None, 0, False), (NOW, 1, False)]
)
def test_it_holds_until_it_is_used_or_its_time_is_over(
    accepted_at: datetime | None, left_s: int, *, holds: bool
) -> None:
    assert Invitation(ID, NOW + timedelta(seconds=left_s), accepted_at).holds(NOW) is holds
