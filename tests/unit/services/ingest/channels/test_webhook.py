from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from services.ingest.channels.webhook import WebhookChannel
from shared.bus.subscription import Received
from shared.domain.directory import Directory
from shared.domain.workspace import Workspace
from shared.errors import DependencyDown, InvalidInput, Reason
from shared.events.hook import HookUnmapped
from tests.support.doors import HOOK, HOOK_SECRET, Doors, doors
from tests.support.submissions import WORKSPACE

SECRET = "hook-secret"


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[Doors]:
    async with doors(tmp_path) as opened:
        yield opened


def declare(house: Doors, *, secret: str | None = SECRET, **webhook: object) -> WebhookChannel:
    """The door with one more webhook in the workspace, `hook`."""
    fields: dict[str, object] = {
        "id": "hook",
        "source": "acme",
        "verify": {"scheme": "token", "secret": "secret:hook"},
        "map": {"text": "text", "external_id": "id"},
    } | webhook
    workspace = WORKSPACE.model_dump(mode="json", by_alias=True)
    workspace["webhooks"] = [*workspace["webhooks"], fields]
    directory = Directory(Workspace.model_validate(workspace), 2)
    (channel,) = [channel for channel in house.channels if isinstance(channel, WebhookChannel)]
    secrets = {"survey_hook": HOOK_SECRET} | ({"hook": secret} if secret else {})
    settings = channel._context.settings.model_copy(
        update={"secrets": type(channel._context.settings).model_validate({"secrets": secrets}).secrets}
    )
    channel._context = replace(channel._context, directory=lambda: directory, settings=settings)
    return channel


async def post(house: Doors, body: object, headers: dict[str, str], hook: str = "hook") -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return await house.http.post(f"{HOOK}/{hook}", content=content, headers=headers)


BEARER = {"authorization": f"Bearer {SECRET}"}


async def test_a_declared_webhook_is_taken_by_its_mapping(house: Doors) -> None:
    declare(house, channel="survey", touchpoint="invoice")
    answer = await post(house, {"id": 1, "text": "The invoice is wrong."}, BEARER)
    assert (answer.status_code, answer.json()) == (202, {"accepted": 1, "skipped": 0, "unmapped": 0})
    (event,) = house.events
    assert (event.channel, event.source, event.text) == ("survey", "acme", "The invoice is wrong.")
    assert event.hints.touchpoint == "invoice"


@pytest.mark.parametrize(
    ("verify", "headers"),
    [
        ({"scheme": "token"}, BEARER),
        ({"scheme": "token", "header": "X-Gitlab-Token"}, {"x-gitlab-token": SECRET}),
        (
            {"scheme": "hmac", "header": "X-Hub-Signature-256", "prefix": "sha256="},
            {
                "x-hub-signature-256": "sha256="
                + hmac.new(b"hook-secret", b'{"text": "x"}', "sha256").hexdigest()
            },
        ),
        (
            {"scheme": "hmac", "header": "Typeform-Signature", "prefix": "sha256=", "encoding": "base64"},
            {
                "typeform-signature": "sha256="
                + base64.b64encode(
                    hmac.new(b"hook-secret", b'{"text": "x"}', hashlib.sha256).digest()
                ).decode()
            },
        ),
        (
            {"scheme": "hmac", "header": "X-Hub-Signature", "prefix": "sha1=", "digest": "sha1"},
            {"x-hub-signature": "sha1=" + hmac.new(b"hook-secret", b'{"text": "x"}', "sha1").hexdigest()},
        ),
    ],
)
async def test_each_way_of_proving_who_sends(
    house: Doors, verify: dict[str, str], headers: dict[str, str]
) -> None:
    declare(house, verify={"secret": "secret:hook", **verify})
    assert (await post(house, b'{"text": "x"}', headers)).status_code == 202
    refused = await post(house, b'{"text": "y"}', {name: value[:-1] + "~" for name, value in headers.items()})
    assert refused.status_code == 401
    assert (await post(house, b'{"text": "y"}', {})).status_code == 401
    assert len(house.events) == 1


async def test_both_secrets_of_a_rotation_are_taken_and_both_sides_of_the_window_are_closed(
    house: Doors,
) -> None:
    assert (await house.hook(b'{"comment": "x"}')).status_code == 202
    for seconds in (-301, 301):
        assert (await house.hook(b'{"comment": "x"}', at=seconds)).status_code == 401
    assert (await house.hook(b'{"comment": "x"}', signature="v2,odd v1,d3Jvbmc=")).status_code == 401


async def test_what_does_not_fit_is_answered_202_and_kept_with_its_body(house: Doors) -> None:
    declare(house)
    answer = await post(house, {"id": 1, "text": {"odd": 1}}, BEARER)
    assert (answer.status_code, answer.json()["unmapped"]) == (202, 1)
    (held,) = house.parts.kafka.unmapped
    assert (held.hook, json.loads(held.raw), held.only) == ("hook", {"id": 1, "text": {"odd": 1}}, (0,))
    assert not house.events


async def test_what_is_kept_has_the_headers_of_the_request_and_no_secret(house: Doors) -> None:
    declare(house)
    headers = {**BEARER, "content-type": "application/json", "x-event-type": "answer", "cookie": "a=b"}
    await post(house, {"text": {}}, headers)
    (held,) = house.parts.kafka.unmapped
    assert held.headers["content-type"] == "application/json"
    assert held.headers["x-event-type"] == "answer"
    assert not held.headers.keys() & {"authorization", "cookie"}
    assert SECRET not in held.model_dump_json()


async def test_one_bad_item_costs_no_good_neighbour(house: Doors) -> None:
    declare(house, items="items")
    body = {"items": [{"text": "A"}, {"text": {}}, {"text": "C"}, {"text": ""}]}
    answer = await post(house, body, BEARER)
    assert answer.json() == {"accepted": 2, "skipped": 0, "unmapped": 2}
    assert [event.text for event in house.events] == ["A", "C"]
    assert house.parts.kafka.unmapped[0].only == (1, 3)


async def test_with_kafka_away_what_does_not_fit_is_spooled_and_drained(house: Doors) -> None:
    declare(house)
    house.parts.kafka.away = True
    assert (await post(house, {"text": {}}, BEARER)).status_code == 202
    assert house.parts.spool.records == 1
    house.parts.kafka.away = False
    await house.parts.drain._drain_batch()
    assert [held.hook for held in house.parts.kafka.unmapped] == ["hook"]


async def test_what_was_held_is_taken_by_the_mended_mapping(house: Doors) -> None:
    declare(house)
    await post(house, {"id": 1, "text": {"words": "Slow"}}, BEARER)
    (held,) = house.parts.kafka.unmapped
    with pytest.raises(InvalidInput) as caught:
        await declare(house).again([_received(held)])
    assert caught.value.reason is Reason.MAPPING
    mended = declare(house, map={"text": "text.words", "external_id": "id"})
    await mended.again([_received(held)])
    assert [event.text for event in house.events] == ["Slow"]


async def test_a_webhook_nobody_declared_is_404_and_without_a_directory_503(house: Doors) -> None:
    channel = declare(house)
    assert (await post(house, {}, BEARER, "other")).status_code == 404

    def none_yet() -> Directory:
        raise DependencyDown("directory", "none is applied yet")

    channel._context = replace(channel._context, directory=none_yet)
    answer = await post(house, {}, BEARER)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


async def test_without_its_secret_nothing_is_taken(house: Doors) -> None:
    for nothing in (None, " "):
        declare(house, secret=nothing)
        assert (await post(house, {"text": "x"}, {"authorization": "Bearer "})).status_code == 503
    declare(house, secret="whsec_", verify={"scheme": "standard-webhooks", "secret": "secret:hook"})
    stamp = str(int(house.now.timestamp()))
    headers = {"webhook-id": "1", "webhook-timestamp": stamp, "webhook-signature": "v1,AAAA"}
    assert (await post(house, {"text": "x"}, headers)).status_code == 503
    assert not house.events


def _received(event: HookUnmapped) -> Received[HookUnmapped]:
    return Received(event, [], "hook.unmapped.v1", 0, 0)
