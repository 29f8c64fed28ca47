"""The self-test makes a body that a declared webhook reads as its text, and signs it as is declared."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from pydantic import SecretStr

from deploy.cli.output import Failed
from deploy.cli.senders import webhook
from deploy.cli.senders.knock import Knock
from deploy.cli.senders.webhook_body import body_for
from services.ingest.domain.selftest import mark
from services.ingest.domain.webhook.mapping import Mapper
from shared.domain.webhook import Webhook
from shared.errors import ConfigurationError
from tests.support.doors import HOOK_SECRET, Doors, doors
from tests.unit.services.ingest.channels.test_webhook import SECRET, declare

TOKEN = {"scheme": "token", "secret": "secret:hook"}


def hook(**fields: Any) -> Webhook:  # noqa: ANN401 - any field
    values = {"id": "hook", "source": "acme", "verify": TOKEN, "map": {"text": "text"}, **fields}
    return Webhook.model_validate(values)


@pytest.mark.parametrize(
    "fields",
    [
        {"map": {"text": "comment"}},
        {"map": {"text": "answers.comment", "external_id": "id", "rating.value": "answers.score"}},
        {"map": {"text": "event.data[0].text"}},
        {"map": {"text": "answers[].text"}},
        {"map": {"text": "answers[*].text | [0]"}},
        {"map": {"text": "answers[?question=='why'].text"}},
        {"map": {"text": "answers[?question=='why'].text | [0]", "external_id": "answers[0].id"}},
        {"map": {"text": "comment || note"}},
        {"map": {"text": "join(' ', answers[].text)"}},
        {"map": {"text": "not_null(comment, note)"}},
        {"map": {"text": "[title, comment]"}},
        {"map": {"text": "@"}},
        {"map": {"text": "text", "external_id": "text.id"}},
        {"items": "responses", "map": {"text": "comment"}},
        {"items": "data.responses[]", "map": {"text": "comment", "external_id": "id"}},
        {"items": "@", "map": {"text": "comment"}},
        {"skip": "!finished", "map": {"text": "comment"}},
        {"skip": "status != 'finished'", "map": {"text": "comment"}},
        {"skip": "status == 'open' || !contains(['a', 'b'], kind)", "map": {"text": "comment"}},
        {"skip": "type != 'said' || draft", "map": {"text": "comment"}},
        {"items": "r", "skip": "meta.test", "map": {"text": "a.b.c"}},
    ],
    ids=json.dumps,
)
def test_a_body_is_found_where_the_mapping_shows_the_place_of_the_text(fields: dict[str, Any]) -> None:
    declared = hook(**fields)
    raw = body_for(declared, "It is a test", "selftest-1", lambda piece: piece.text == "It is a test")
    assert raw is not None
    mapped = Mapper(declared).map(raw, (), None)
    assert [piece.text for piece in mapped.submissions.values()] == ["It is a test"]
    assert (mapped.skipped, mapped.faults) == (0, {})


@pytest.mark.parametrize(
    "fields",
    [
        {"map": {"title": "subject"}},
        {"map": {"text": "'always the same'"}},
        {"map": {"text": "reverse(comment)"}},
        {"map": {"text": "join(': ', ['It', comment])"}},
        {"map": {"text": "a[99].text"}},
        {"skip": "`true`", "map": {"text": "comment"}},
    ],
    ids=json.dumps,
)
def test_where_only_the_senders_own_body_fits_none_is_made(fields: dict[str, Any]) -> None:
    assert not webhook.permits(hook(**fields))


SIGNED_TIME: dict[str, Any] = {
    "scheme": "hmac",
    "secret": "secret:hook",
    "header": "X-Sig",
    "timestamp_header": "X-Time",
    "signed": "v0:{timestamp}:{body}:end",
}
VERIFICATIONS: list[dict[str, Any]] = [
    TOKEN,
    {**TOKEN, "header": "X-Gitlab-Token"},
    {"scheme": "standard-webhooks", "secret": "secret:survey_hook"},
    {"scheme": "standard-webhooks", "secret": "secret:hook"},
    {"scheme": "hmac", "secret": "secret:hook", "header": "X-Signature", "prefix": "sha256="},
    {"scheme": "hmac", "secret": "secret:hook", "header": "X-Sig", "encoding": "base64", "digest": "sha1"},
    *({**SIGNED_TIME, "timestamp": form} for form in ("seconds", "milliseconds", "iso")),
]


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[Doors]:
    async with doors(tmp_path, webhook={"replay_window_s": 10**9}) as opened:
        yield opened


def secret_of(reference: str) -> SecretStr:
    values = {"secret:hook": SECRET, "secret:survey_hook": HOOK_SECRET}
    if reference not in values:
        raise ConfigurationError("the secret is not set")
    return SecretStr(values[reference])


def knocking(house: Doors, http: httpx.AsyncClient, **fields: Any) -> Knock:  # noqa: ANN401 - any field
    ingest = house.context.settings.ingest
    return Knock(http, "", "", ingest, "ab" * 8, {}, secret_of, hook=hook(**fields))


@pytest.mark.parametrize("verify", VERIFICATIONS, ids=json.dumps)
async def test_each_way_of_proving_who_sends_is_mastered(house: Doors, verify: dict[str, Any]) -> None:
    declare(house, verify=verify, channel="shop.survey")
    knock = knocking(house, house.http, verify=verify, channel="shop.survey")
    text = f"A test {mark(b'token', 'shop.survey', house.now, knock.nonce)}"
    assert await webhook.send(knock, text) == "202 Accepted"
    (event,) = house.events
    assert knock.nonce in event.text


async def test_what_the_door_does_not_take_by_its_mapping_is_a_failure(house: Doors) -> None:
    declare(house, map={"text": "other"})
    with pytest.raises(Failed, match="did not take"):
        await webhook.send(knocking(house, house.http), "A test")
    with pytest.raises(Failed, match="is not set"):
        await webhook.send(knocking(house, house.http, verify={**TOKEN, "secret": "secret:x"}), "A test")
