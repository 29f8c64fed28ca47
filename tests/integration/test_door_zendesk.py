"""Zendesk's webhooks on a socket, into Kafka and MongoDB."""

from __future__ import annotations

import json
from pathlib import Path

import httpx

from shared import clock, ids
from shared.domain.quarantine import QuarantineReason
from shared.events.feedback import Change
from shared.settings import KafkaSettings, MongoSettings
from shared.store.connection import Store
from shared.store.feedback import FeedbackStore
from shared.store.owners import FEEDBACK
from shared.store.quarantine import QuarantineStore
from tests.support.classifier import Classifier
from tests.support.doors import INGEST, ZENDESK, sign_zendesk
from tests.support.feedback import piece
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


def said(number: int, second: int) -> dict[str, object]:
    comment = {
        "id": str(number),
        "body": f"It is wrong again, {number}.",
        "is_public": True,
        "author": {"id": "7", "is_staff": False, "name": "Sam"},
    }
    return {"event": {"comment": comment}, "time": f"2026-05-04T09:00:{second:02}.123456789Z"}


async def test_a_deleted_ticket_takes_the_comments_along_that_are_stored(
    kafka: KafkaSettings, mongo: MongoSettings, store: Store, tmp_path: Path
) -> None:
    other = {"detail": {"id": "6000", "description": "Slow.", "requester_id": "7", "submitter_id": "7"}}
    async with ingest(kafka, mongo, store, tmp_path, **INGEST) as house, Classifier(store) as classifier:
        bodies = [
            ticket("created", 1),
            ticket("comment_added", 2, **said(77, 2)),
            ticket("comment_added", 3, **said(78, 3)),
            ticket("comment_added", 4, **said(90, 4) | other),
        ]
        for body in bodies:
            assert (await post(house, body)).status_code == 200
        await classifier.handle(*await house.events())
        assert (await post(house, ticket("soft_deleted", 9))).status_code == 200
        gone = [event for event in await house.events() if event.change is Change.DELETED]
        assert {event.feedback_id for event in gone} == {
            ids.feedback_id("zendesk", "1", key)
            for key in ("ticket:5158", "rating:5158", "comment:77", "comment:78")
        }
        await classifier.handle(*gone)
        pieces = FeedbackStore(store)
        assert await pieces.said_in("zendesk", "1", "ticket:5158") == []
        assert await pieces.said_in("zendesk", "1", "ticket:6000") == ["comment:90"]
        assert (await post(house, ticket("permanently_deleted", 10))).status_code == 200
        again = [event for event in await house.events() if event.change is Change.DELETED]
        assert len(again) == len(gone) + 2, "the ticket and its rating once more; the comments are gone"


async def test_the_comments_of_a_ticket_are_found_by_an_index(store: Store) -> None:
    async with Classifier(store) as classifier:
        await classifier.handle(
            *(
                piece(f"{channel} {n}", channel=channel, source="1", thread_id=f"ticket:{n % 10}")
                for channel in ("zendesk", "rest")
                for n in range(100)
            )
        )
    wanted = {"thread_id": "ticket:7", "channel": "zendesk", "source": "1", "change": {"$ne": "deleted"}}
    plan = await store.collection(FEEDBACK.name).find(wanted).explain()
    stats = plan["executionStats"]
    assert "by_thread" in str(plan["queryPlanner"]["winningPlan"])
    assert (stats["nReturned"], stats["totalDocsExamined"]) == (10, 10)
    assert (
        len(
            await store.collection(FEEDBACK.name).find({"channel": "zendesk"}).hint("by_thread").to_list(None)
        )
        == 100
    )
