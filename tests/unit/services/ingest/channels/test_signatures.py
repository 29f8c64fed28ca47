"""Signatures of webhooks against published vectors."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import SecretStr

from services.ingest.channels.signatures import GITHUB, SLACK, Profile, verify
from shared.errors import InvalidInput, Reason
from tests.support.fixtures import FOLDER

VECTORS = FOLDER / "signature_vectors" / "vectors.json"
pytestmark = pytest.mark.skipif(not VECTORS.is_file(), reason="the published vectors are not here")


def published(name: str) -> tuple[dict[str, Any], dict[str, str]]:
    vector = json.loads(VECTORS.read_text())[name]
    return vector, {header.lower(): value for header, value in vector["headers"].items()}


@pytest.mark.parametrize(("name", "profile"), [("slack", SLACK), ("github", GITHUB)])
def test_a_published_signature_fits_and_another_body_or_secret_does_not(name: str, profile: Profile) -> None:
    vector, headers = published(name)
    now = datetime.fromtimestamp(vector.get("clock", 0), UTC)
    body, secret = vector["body"].encode(), SecretStr(vector["secret"])
    verify(profile, [SecretStr("the new one"), secret], headers, body, now=now)
    for secrets, changed in (([secret], body + b" "), ([SecretStr("other")], body), ([], body)):
        with pytest.raises(InvalidInput) as refused:
            verify(profile, secrets, headers, changed, now=now)
        assert refused.value.reason is Reason.BAD_SIGNATURE


def test_a_recorded_request_is_not_good_for_ever() -> None:
    vector, headers = published("slack")
    for clock in (vector["clock"] - 301, vector["clock"] + 301):
        with pytest.raises(InvalidInput) as refused:
            verify(
                SLACK,
                [SecretStr(vector["secret"])],
                headers,
                vector["body"].encode(),
                now=datetime.fromtimestamp(clock, UTC),
            )
        assert refused.value.reason is Reason.STALE_TIMESTAMP
