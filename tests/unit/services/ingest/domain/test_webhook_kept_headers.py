"""A dead letter of a webhook keeps what says what the request was, and nothing that proves who sent it."""

from __future__ import annotations

import pytest

from services.ingest.domain.webhook.kept_headers import kept_headers
from shared.domain.webhook import Scheme, Verification

VERIFY = Verification(scheme=Scheme.HMAC, secret="secret:hook", header="X-Acme-Proof")


def kept(*headers: tuple[str, str]) -> dict[str, str]:
    return dict(kept_headers(headers, VERIFY, ["hook-secret"]))


@pytest.mark.parametrize(
    "name",
    [
        "Content-Type",
        "User-Agent",
        "X-GitHub-Event",
        "X-GitHub-Delivery",
        "X-Shopify-Topic",
        "X-Event-Key",
        "Webhook-Id",
        "ce-type",
    ],
)
def test_what_says_what_a_request_is_is_kept(name: str) -> None:
    assert kept((name, "value")) == {name.lower(): "value"}


@pytest.mark.parametrize(
    "name",
    [
        "Authorization",
        "Proxy-Authorization",
        "Cookie",
        "X-Acme-Proof",
        "X-Hub-Signature-256",
        "Webhook-Signature",
        "X-Shopify-Hmac-Sha256",
        "X-Gitlab-Token",
        "X-Api-Key",
        "X-Auth",
        "X-Sig",
        "X-Forwarded-For",
        "X-Real-IP",
        "Host",
    ],
)
def test_what_proves_who_sent_it_or_where_from_is_not(name: str) -> None:
    assert kept((name, "value")) == {}


def test_a_secret_is_not_kept_wherever_it_stands() -> None:
    assert kept(("X-Note", "it is hook-secret, really"), ("X-Kind", "answer")) == {"x-kind": "answer"}


def test_very_many_and_very_long_ones_are_cut() -> None:
    found = kept(*((f"X-{number}", "v" * 5_000) for number in range(500)))
    assert len(found) == 30
    assert {len(value) for value in found.values()} == {200}
