"""Slack's events on a socket, into Kafka and MongoDB."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx

from shared import clock
from shared.domain.quarantine import QuarantineReason
from shared.settings import KafkaSettings, MongoSettings
from shared.store.connection import Store
from shared.store.quarantine import QuarantineStore
from tests.support.doors import INGEST, SLACK, sign
from tests.support.ingest_service import Ingest, ingest


async def post(house: Ingest, body: bytes) -> httpx.Response:
    stamp = str(int(clock.now().timestamp()))
    return await house.http.post(SLACK, content=body, headers=sign(body, stamp))


def message(**fields: Any) -> bytes:  # noqa: ANN401 - any field of Slack's
    event = {
        "type": "message",
        "user": "U0ANN",
        "channel": "C1",
        "text": "It is wrong.",
        "ts": "1777887000.000100",
    }
    return json.dumps({"type": "event_callback", "team_id": "T1", "event": event | fields}).encode()


async def test_a_message_is_in_kafka_and_poison_in_quarantine_when_slack_is_answered(
    kafka: KafkaSettings, mongo: MongoSettings, store: Store, tmp_path: Path
) -> None:
    async with ingest(kafka, mongo, store, tmp_path, **INGEST) as house:
        for body in (message(), message(), message(bot_id="B1"), message(ts="soon"), b"poison"):
            assert (await post(house, body)).status_code == 200
        unsigned = await house.http.post(SLACK, content=message())
        assert unsigned.status_code == 401
        events = await house.events()
    assert {(event.external_id, event.reported_by.person_id) for event in events} == {
        ("C1:1777887000.000100", "ann")
    }
    aside = await QuarantineStore(store).search(channel="slack")
    assert {(each.reason, each.raw) for each in aside} == {
        (QuarantineReason.UNPARSABLE, message(ts="soon")),
        (QuarantineReason.UNPARSABLE, b"poison"),
    }
