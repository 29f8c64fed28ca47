"""Zendesk's webhooks on a socket, into Kafka and MongoDB."""

from __future__ import annotations

import json
from pathlib import Path

import httpx

from shared import clock
from shared.domain.quarantine import QuarantineReason
from shared.events.feedback import Change
from shared.settings import KafkaSettings, MongoSettings
from shared.store.connection import Store
from shared.store.quarantine import QuarantineStore
from tests.support.doors import INGEST, ZENDESK, sign_zendesk
from tests.support.ingest_service import Ingest, ingest


async def post(house: Ingest, body: bytes) -> httpx.Response:
    stamp = clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    return await house.http.post(ZENDESK, content=body, headers=sign_zendesk(body, stamp))


def ticket(kind: str, second: int, **fields: object) -> bytes:
    detail = {"id": "5158", "description": "It is wrong.", "requester_id": "7", "submitter_id": "7"}
    event = {
        "type": f"zen:event-type:ticket.{kind}",
        "account_id": 1,
        "time": f"2026-05-04T09:00:{second:02}.123456789Z",
        "detail": {**detail, "is_public": True},
    }
    return json.dumps(event | fields).encode()


async def test_a_ticket_its_end_and_poison_are_where_they_belong_when_zendesk_is_answered(
    kafka: KafkaSettings, mongo: MongoSettings, store: Store, tmp_path: Path
) -> None:
    poison = ticket("created", 1, time="soon")
    async with ingest(kafka, mongo, store, tmp_path, **INGEST) as house:
        for body in (ticket("created", 1), ticket("status_changed", 2), ticket("soft_deleted", 3), poison):
            assert (await post(house, body)).status_code == 200
        assert (await house.http.post(ZENDESK, content=ticket("created", 1))).status_code == 401
        heard = [event for event in await house.events() if event.channel == "zendesk"]
    assert {event.change for event in heard} == {Change.CREATED, Change.DELETED}
    created = next(event for event in heard if event.change is Change.CREATED)
    assert (created.text, created.external_id) == ("It is wrong.", "ticket:5158")
    assert any(e.feedback_id == created.feedback_id for e in heard if e.change is Change.DELETED)
    aside = await QuarantineStore(store).search(channel="zendesk")
    assert [(each.reason, each.raw) for each in aside] == [(QuarantineReason.UNPARSABLE, poison)]
