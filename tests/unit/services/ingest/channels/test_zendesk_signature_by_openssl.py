"""Zendesk's signatures made by OpenSSL: neither the signing nor the check can be wrong in the way ours is."""

from __future__ import annotations

import base64
import shutil
import subprocess
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from services.ingest.channels.signatures import ZENDESK, verify
from shared.errors import InvalidInput, Reason

OPENSSL = shutil.which("openssl")
pytestmark = pytest.mark.skipif(OPENSSL is None, reason="there is no openssl here")
SECRET = "dGhlIHNlY3JldCBvZiBhIHdlYmhvb2s="
STAMP = "2026-05-04T09:00:00Z"
NOW = datetime(2026, 5, 4, 9, 0, 30, tzinfo=UTC)
BODIES = [
    b"",
    b'{"type": "zen:event-type:ticket.created"}',
    "Schöne Grüße \U0001f600".encode(),
    b"\0\r\n\xff not text",
    b"x" * 200_000,
]


def signed(body: bytes, *, stamp: str = STAMP, secret: str = SECRET) -> dict[str, str]:
    """The headers, as in "Verifying webhooks": base64 of the HMAC-SHA256 of the timestamp and the body."""
    assert OPENSSL is not None
    key = f"hexkey:{secret.encode().hex()}"
    command = [OPENSSL, "dgst", "-sha256", "-mac", "HMAC", "-macopt", key, "-binary"]
    done = subprocess.run(command, input=stamp.encode() + body, capture_output=True, check=True)
    return {
        "x-zendesk-webhook-signature": base64.b64encode(done.stdout).decode(),
        "x-zendesk-webhook-signature-timestamp": stamp,
    }


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_what_openssl_signed_is_taken(body: bytes) -> None:
    verify(ZENDESK, [SecretStr("the one before"), SecretStr(SECRET)], signed(body), body, now=NOW)


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_what_openssl_signed_for_another_body_time_or_secret_is_not(body: bytes) -> None:
    headers = signed(body)
    later = headers | {"x-zendesk-webhook-signature-timestamp": "2026-05-04T09:00:01Z"}
    for given, content in (
        (headers, body + b" "),
        (later, body),
        (signed(body, secret=SECRET + "="), body),
    ):
        with pytest.raises(InvalidInput) as refused:
            verify(ZENDESK, [SecretStr(SECRET)], given, content, now=NOW)
        assert refused.value.reason is Reason.BAD_SIGNATURE
