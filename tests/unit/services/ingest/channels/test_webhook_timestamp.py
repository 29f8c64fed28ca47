"""An HMAC webhook that signs the time: what was recorded cannot be played back."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio

from shared.domain.workspace import Workspace, faults
from tests.support.doors import Doors, doors
from tests.support.submissions import WORKSPACE
from tests.unit.services.ingest.channels.test_webhook import SECRET, declare, post

BODY = b'{"text": "The invoice is wrong."}'
VERIFY = {
    "scheme": "hmac",
    "secret": "secret:hook",
    "header": "X-Signature",
    "prefix": "v0=",
    "timestamp_header": "X-Timestamp",
    "signed": "v0:{timestamp}:{body}",
}


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[Doors]:
    async with doors(tmp_path) as opened:
        yield opened


def signed(before: str, body: bytes = BODY, after: str = "", secret: str = SECRET) -> str:
    text = before.encode() + body + after.encode()
    return "v0=" + hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()


async def test_the_signed_time_is_checked_on_both_sides_of_the_window(house: Doors) -> None:
    declare(house, verify=VERIFY)
    now = int(house.now.timestamp())
    for seconds, status in ((0, 202), (-300, 202), (300, 202), (-301, 401), (301, 401)):
        stamp = str(now + seconds)
        headers = {"x-timestamp": stamp, "x-signature": signed(f"v0:{stamp}:")}
        assert (await post(house, BODY, headers)).status_code == status, seconds


async def test_a_recorded_request_cannot_be_given_another_time(house: Doors) -> None:
    declare(house, verify=VERIFY)
    stamp = int(house.now.timestamp())
    recorded = {"x-signature": signed(f"v0:{stamp - 4_000}:")}
    for time in (str(stamp), "", "soon", f"{stamp} ", "9" * 40):
        assert (await post(house, BODY, {**recorded, "x-timestamp": time})).status_code == 401, time
    assert (await post(house, BODY, recorded)).status_code == 401
    assert not house.events


@pytest.mark.parametrize(
    ("form", "stamp"),
    [
        ("seconds", lambda now: str(int(now.timestamp()))),
        ("milliseconds", lambda now: str(int(now.timestamp() * 1_000))),
        ("iso", lambda now: now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")),
    ],
)
@pytest.mark.parametrize(
    ("text", "before", "after"),
    [
        ("{timestamp}.{body}", "{}.", ""),
        ("v0:{timestamp}:{body}", "v0:{}:", ""),
        ("{timestamp}{body}", "{}", ""),
        ("{body}|{timestamp}", "", "|{}"),
    ],
)
async def test_each_form_of_time_and_of_signed_text(
    house: Doors, form: str, stamp: object, text: str, before: str, after: str
) -> None:
    assert callable(stamp)
    declare(house, verify={**VERIFY, "timestamp": form, "signed": text})
    now: datetime = house.now
    time = stamp(now)
    good = {"x-timestamp": time, "x-signature": signed(before.format(time), after=after.format(time))}
    assert (await post(house, BODY, good)).status_code == 202
    bare = {"x-timestamp": time, "x-signature": signed("")}
    assert (await post(house, BODY, bare)).status_code == 401


async def test_both_secrets_of_a_rotation_sign_times_too(house: Doors) -> None:
    declare(house, verify={**VERIFY, "secret": "secret:survey_hook", "previous_secret": "secret:hook"})
    stamp = str(int(house.now.timestamp()))
    headers = {"x-timestamp": stamp, "x-signature": signed(f"v0:{stamp}:")}
    assert (await post(house, BODY, headers)).status_code == 202


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"signed": "v0:{body}"}, "signed"),
        ({"signed": "{timestamp}"}, "signed"),
        ({"signed": "{timestamp}.{body}.{body}"}, "signed"),
        ({"signed": "{timestamp}.{id}.{body}"}, "signed"),
        ({"timestamp_header": None}, "signed"),
        ({"scheme": "token"}, "timestamp_header"),
        ({"scheme": "standard-webhooks", "timestamp_header": None}, "signed"),
    ],
)
def test_a_declaration_whose_time_proves_nothing_is_refused(changed: dict[str, object], where: str) -> None:
    workspace = WORKSPACE.model_dump(mode="json", by_alias=True)
    verify = {**VERIFY, "secret": "secret:survey_hook", **changed}
    workspace["webhooks"] = [{"id": "hook", "source": "acme", "verify": verify, "map": {"text": "text"}}]
    found = faults(Workspace.model_validate(workspace))
    assert [fault.path for fault in found] == [("webhooks", 0, "verify", where)]
