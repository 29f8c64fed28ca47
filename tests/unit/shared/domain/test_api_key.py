"""An API key opens with its secret while it is in force, and with nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.api_key import ApiKey, Scope, hash_secret, split

NOW = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
SECRET = "5e" * 32


def key(*, expires_at: datetime | None = None, revoked_at: datetime | None = None) -> ApiKey:
    return ApiKey(
        "0" * 12,
        "shop",
        "shop",
        frozenset({Scope.WRITE}),
        hash_secret(SECRET),
        NOW,
        expires_at=expires_at,
        revoked_at=revoked_at,
    )


def test_it_opens_with_its_secret_only() -> None:
    assert key().opens_with(SECRET, NOW)
    assert not key().opens_with(SECRET[:-1] + "f", NOW)
    assert not key().opens_with("", NOW)


def test_it_opens_until_it_expires_or_is_revoked() -> None:
    soon = NOW + timedelta(seconds=1)
    assert key(expires_at=soon).opens_with(SECRET, NOW)
    assert not key(expires_at=soon).opens_with(SECRET, soon)
    assert not key(revoked_at=NOW).opens_with(SECRET, NOW)


@pytest.mark.parametrize(
    "token",
    [
        "",
        "lp_",
        f"lp_{'0' * 12}_{SECRET}0",
        f"lp_{'0' * 11}_{SECRET}",
        f"LP_{'0' * 12}_{SECRET}",
        f"lp_{'0' * 12}_{SECRET}\n",
        f"lp_{'0' * 12}_{SECRET.upper()}",
        "lp_" + "\uff10" * 12 + f"_{SECRET}",
    ],
)
def test_a_token_has_one_form(token: str) -> None:
    assert split(token) is None
    assert split(f"lp_{'0' * 12}_{SECRET}") == ("0" * 12, SECRET)
