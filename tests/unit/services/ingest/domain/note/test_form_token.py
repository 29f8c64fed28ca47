"""The token of a form opens with the credential it was made with, and nothing else."""

from __future__ import annotations

import pytest

from services.ingest.domain.note import form_token

NONCE = "Zm9vYmFyYmF6cXV4X-1"
ZEROS = "0" * 64


def test_it_opens_with_its_own_credential_alone() -> None:
    token = form_token.seal(NONCE, "lp_a")
    assert form_token.opened(token, "lp_a") == NONCE
    assert form_token.opened(token, "lp_b") is None


@pytest.mark.parametrize(
    "token", ["", ".", "x", NONCE, f"{NONCE}.", f"{NONCE}.{ZEROS}", f"{NONCE}\n.{ZEROS}"]
)
def test_what_is_made_up_opens_nothing(token: str) -> None:
    assert form_token.opened(token, "lp_a") is None
