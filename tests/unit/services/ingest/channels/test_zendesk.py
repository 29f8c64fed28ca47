"""Zendesk's webhooks: what is heard, what is passed over, and that nothing Zendesk sends ends in an error."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from services.ingest.channels.zendesk import TEST_SECRET, ZendeskChannel
from services.ingest.domain.zendesk.event import moment
from services.ingest.settings import IngestSettings
from shared import ids
from shared.domain.quarantine import QuarantineReason
from shared.errors import ConfigurationError, DependencyDown
from shared.events.feedback import Affiliation, Change, FeedbackReceived
from tests.support.doors import ZENDESK, ZENDESK_SECRET, Doors, doors
from tests.support.fixtures import FOLDER

ADDED = FOLDER / "zendesk_webhook" / "dust-tt__dust" / "ticket_comment_added.json"
WRITTEN_US, NEXT_US = 1_777_885_200_123_456, 1_777_885_260_000_000
SAM, AGENT = "7", "9"


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[Doors]:
    async with doors(tmp_path, zendesk={"subdomain": "brightline"}) as opened:
        yield opened


def event(kind: str, told: object = None, *, at: str = "09:00:00.123456789", **ticket: Any) -> dict[str, Any]:  # noqa: ANN401 - any field of Zendesk's
    """An event about a ticket that Sam opened."""
    detail = {
        "id": "5158",
        "subject": "Invoice",
        "description": "The invoice is wrong.",
        "created_at": "2026-05-04T08:59:00Z",
        "is_public": True,
        "requester_id": SAM,
        "submitter_id": SAM,
        "status": "OPEN",
    }
    return {
        "type": f"zen:event-type:ticket.{kind}",
        "account_id": 22129848,
        "id": "d4f5c389-8f4a-4c2e-a1b9-8e4f39c71d52",
        "subject": "zen:ticket:5158",
        "time": f"2026-05-04T{at}Z",
        "zendesk_event_version": "2022-11-06",
        "detail": detail | ticket,
        "event": told or {},
    }


def comment(body: str | None = "It is wrong again.", *, staff: bool | None = False, **fields: Any) -> Any:  # noqa: ANN401
    author = {"id": AGENT if staff else SAM, "is_staff": staff, "name": "Ann" if staff else "Sam"}
    return {"comment": {"id": "77", "body": body, "is_public": True, "author": author} | fields}


def keys(house: Doors) -> list[tuple[str | None, str, Change]]:
    return [(heard.external_id, heard.text, heard.change) for heard in house.events]


async def said(house: Doors, *bodies: object) -> list[FeedbackReceived]:
    for body in bodies:
        answer = await house.zendesk(body)
        assert (answer.status_code, answer.content) == (200, b"")
    return house.events


async def test_a_ticket_is_a_piece_of_the_customer_who_opened_it(house: Doors) -> None:
    (heard,) = await said(house, event("created"))
    assert (heard.channel, heard.source, heard.external_id) == ("zendesk", "22129848", "ticket:5158")
    assert (heard.title, heard.text) == ("Invoice", "The invoice is wrong.")
    assert (heard.revision, heard.thread_id) == (WRITTEN_US, "ticket:5158")
    assert heard.occurred_at.isoformat() == "2026-05-04T08:59:00+00:00"
    assert heard.url == "https://brightline.zendesk.com/agent/tickets/5158"
    assert (heard.reported_by.affiliation, heard.spoken_for) == (Affiliation.CUSTOMER, None)
    assert not heard.reported_by.person_id.startswith("unverified")


async def test_a_ticket_an_agent_opened_speaks_for_the_customer(house: Doors) -> None:
    by_agent, of_sam = await said(
        house, event("created", submitter_id=AGENT), event("comment_added", comment())
    )
    assert by_agent.spoken_for is not None
    assert by_agent.spoken_for.affiliation is Affiliation.CUSTOMER
    assert by_agent.reported_by.affiliation is Affiliation.UNKNOWN
    assert by_agent.spoken_for.person_id == of_sam.reported_by.person_id != by_agent.reported_by.person_id


async def test_a_public_comment_of_a_customer_is_a_piece_of_the_tickets_thread(house: Doors) -> None:
    first, second = await said(house, event("created"), event("comment_added", comment()))
    assert (second.external_id, second.text) == ("comment:77", "It is wrong again.")
    assert second.thread_id == first.thread_id
    assert second.feedback_id != first.feedback_id
    assert second.reported_by.display_name == "Sam"


async def test_the_first_text_that_comes_as_a_comment_too_is_one_piece(house: Doors) -> None:
    first, again = await said(
        house, event("created"), event("comment_added", comment("The invoice is wrong."))
    )
    assert (again.feedback_id, again.content_hash) == (first.feedback_id, first.content_hash)


@pytest.mark.parametrize(
    "body",
    [
        event("comment_added", comment(is_public=False)),
        event("comment_added", comment(is_public=None)),
        event("comment_added", comment(staff=True)),
        event("comment_added", comment(author={"id": AGENT})),
        event("comment_added", comment(author=None)),
        event("comment_added", comment("")),
        event("created", is_public=False),
        event("created", is_public=None),
        event("status_changed", {"current": "SOLVED", "previous": "OPEN"}),
        event("subject_changed", {"current": "Bill", "previous": "Invoice"}),
        event("undeleted"),
        event("what_comes_next_year"),
        event("csat_received", {"satisfaction_score": {"score": "OFFERED"}}),
        event("csat_received"),
        event("comment_redacted", comment("\u2587\u2587", staff=True)),
        {"type": "zen:event-type:user.created", "detail": {"id": [1]}},
        {"type": "zen:event-type:article.published", "event": "any form"},
        {"type": "test"},
        {"hello": "this is a test"},
        {},
        b"",
    ],
)
async def test_what_is_no_feedback_is_answered_and_passed_over(house: Doors, body: object) -> None:
    await said(house, body)
    assert not house.events
    assert not house.aside


async def test_a_test_before_the_webhook_exists_is_answered_and_nothing_is_read(
    house: Doors,
) -> None:
    answer = await house.zendesk(event("created"), secret=TEST_SECRET.get_secret_value())
    assert answer.status_code == 200
    assert not house.events
    stale = await house.zendesk(event("created"), at=400, secret=TEST_SECRET.get_secret_value())
    assert stale.status_code == 401


async def test_another_account_is_not_heard_where_one_is_named(tmp_path: Path) -> None:
    async with doors(tmp_path, zendesk={"account_id": "1"}) as house:
        await said(house, event("created"))
        assert not house.events
        (heard,) = await said(house, event("created") | {"account_id": "1"})
        assert heard.source == "1"


async def test_a_redacted_comment_is_a_later_revision_without_the_words(house: Doors) -> None:
    redacted = event("comment_redacted", comment("My card is \u2587\u2587\u2587"), at="09:01:00")
    before, after = await said(house, event("comment_added", comment("My card is 411")), redacted)
    assert (after.feedback_id, after.change) == (before.feedback_id, Change.EDITED)
    assert (before.revision, after.revision) == (WRITTEN_US, NEXT_US)
    assert after.text == "My card is \u2587\u2587\u2587"


async def test_a_redaction_that_tells_no_words_takes_the_comment_back(house: Doors) -> None:
    await said(house, event("comment_redacted", {"comment": {"id": "77"}}))
    assert keys(house) == [(None, "", Change.DELETED)]
    created, *_ = await said(house, event("comment_added", comment()))
    assert created.feedback_id == house.events[-1].feedback_id


@pytest.mark.parametrize(
    ("submitter", "change", "text"),
    [(SAM, Change.EDITED, "The \u2587 is wrong."), (AGENT, Change.DELETED, "")],
)
async def test_a_redacted_first_text_is_gone_and_nothing_that_may_be_private_comes_instead(
    house: Doors, submitter: str, change: Change, text: str
) -> None:
    words = "The \u2587 is wrong."
    redacted = comment(words, author={"id": submitter, "is_staff": submitter == AGENT})
    first, after = await said(
        house,
        event("created", submitter_id=submitter),
        event("comment_redacted", redacted, at="09:01:00", description=words, submitter_id=submitter),
    )
    assert after.feedback_id == first.feedback_id
    assert (after.change, after.text) == (change, text)


async def test_a_comment_made_private_is_taken_back(house: Doors) -> None:
    before, after = await said(
        house, event("comment_added", comment()), event("comment_made_private", comment(is_public=False))
    )
    assert (after.feedback_id, after.change) == (before.feedback_id, Change.DELETED)


@pytest.mark.parametrize("kind", ["soft_deleted", "permanently_deleted", "marked_as_spam"])
async def test_a_deleted_ticket_is_taken_back_with_its_rating(house: Doors, kind: str) -> None:
    rating = event("csat_received", {"satisfaction_score": "GOOD"})
    gone = event(kind, at="09:01:00")
    ticket, rated, *deleted = await said(house, event("created"), rating, gone | {"detail": None})
    assert [each.change for each in deleted] == [Change.DELETED] * 2
    assert {each.feedback_id for each in deleted} == {ticket.feedback_id, rated.feedback_id}
    assert all(each.text == "" and each.revision == NEXT_US for each in deleted)


async def test_a_deleted_ticket_takes_its_comments_along(house: Doors) -> None:
    other = event("comment_added", comment("Slow.", id="90"), id="6000")
    before = [event("created"), event("comment_added", comment()), other]
    await said(house, *before, event("soft_deleted", at="09:01:00"))
    assert [each.feedback_id for each in house.events if each.change is Change.DELETED] == [
        ids.feedback_id("zendesk", "22129848", key) for key in ("ticket:5158", "rating:5158", "comment:77")
    ]


async def test_with_mongodb_away_a_deleted_ticket_is_gone_and_zendesk_comes_again_for_its_comments(
    house: Doors,
) -> None:
    async def away(*_: str) -> list[str]:
        raise DependencyDown("mongodb")

    (channel,) = [channel for channel in house.channels if isinstance(channel, ZendeskChannel)]
    channel._context = replace(channel._context, thread=away)
    await said(house, event("created"))
    answer = await house.zendesk(event("soft_deleted", at="09:01:00"))
    assert (answer.status_code, "retry-after" in answer.headers) == (503, True)
    created, gone, _ = house.events
    assert (gone.feedback_id, gone.change) == (created.feedback_id, Change.DELETED)


@pytest.mark.parametrize(
    ("told", "value", "text"),
    [
        ({"score": "GOOD", "comment": "Quick help"}, 1, "Quick help"),
        ({"score": "bad", "comment": None}, 0, ""),
        ("good", 1, ""),
    ],
)
async def test_a_satisfaction_rating_is_a_rated_piece(
    house: Doors, told: object, value: int, text: str
) -> None:
    (heard,) = await said(house, event("csat_received", {"satisfaction_score": told}))
    assert heard.rating is not None
    assert (heard.rating.value, heard.rating.min, heard.rating.max) == (value, 0, 1)
    assert (heard.rating.kind, heard.external_id, heard.text) == ("satisfaction", "rating:5158", text)


async def test_the_body_of_a_trigger_has_no_comment_id_and_is_one_piece_all_the_same(house: Doors) -> None:
    filled = event("comment_added", comment(id="", author={"id": 7, "name": "Sam"}, is_public="true"))
    first, again = await said(house, filled, filled)
    assert (first.feedback_id, first.revision) == (again.feedback_id, again.revision)
    assert first.external_id == f"comment:5158:{WRITTEN_US}"


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"html_body": "<p>One &amp; two</p><p>three</p>", "body": "ignored"}, "One & two\n\nthree"),
        ({"body": '<div class="zd-comment"><b>No</b></div>'}, "No"),
        ({"body": "a < b > c & <script>"}, "a < b > c & <script>"),
        ({"body": "half an emoji \ud83d"}, "half an emoji \ufffd"),
    ],
)
async def test_words_are_plain_text(house: Doors, fields: dict[str, Any], text: str) -> None:
    (heard,) = await said(house, event("comment_added", comment(**fields)))
    assert heard.text == text


@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xfe",
        b"[]",
        b"null",
        b"7",
        b"[" * 100_000,
        b'{"type":' * 5_000,
        event("created") | {"account_id": None},
        event("created") | {"time": None},
        event("created") | {"time": "2026-02-30T25:00:00Z"},
        event("created") | {"detail": None, "subject": "zen:ticket:x"},
        event("created") | {"detail": "5158"},
        event("created") | {"type": None},
        event("comment_added", {"comment": None}),
        event("comment_added", {"comment": {"body": {"a": 1}}}),
        event("comment_made_private", {"comment": {}}),
    ],
)
async def test_what_cannot_be_read_is_kept_aside_and_not_asked_for_again(house: Doors, body: object) -> None:
    await said(house, body)
    assert not house.events
    assert house.aside == [("zendesk", QuarantineReason.UNPARSABLE)]


async def test_absurd_values_are_kept_or_kept_aside(house: Doors) -> None:
    await said(
        house,
        event("created", at="09:00:00") | {"time": "9999-12-31T23:59:59-14:00"},
        event("created", at="09:00:00") | {"time": "0001-01-01T00:00:00+14:00"},
        event("created", id=10**30, subject="s" * 9_000, created_at="soon"),
        event("created", subject="", description=""),
    )
    assert {reason for _, reason in house.aside} <= {"unparsable", "empty"}
    assert len(house.events) + len(house.aside) == 4


@pytest.mark.parametrize("at", [-301, 301, 10**9])
async def test_a_recorded_or_foreseen_request_is_refused(house: Doors, at: float) -> None:
    assert (await house.zendesk(event("created"), at=at)).status_code == 401
    assert not house.events


@pytest.mark.parametrize("stamp", ["", "soon", "1777887000", "2026-05-04T09:30:00", "9" * 500, "2026-W19-1"])
async def test_a_time_that_is_none_is_refused(house: Doors, stamp: str) -> None:
    headers = {"x-zendesk-webhook-signature": "x", "x-zendesk-webhook-signature-timestamp": stamp}
    assert (await house.http.post(ZENDESK, content=b"{}", headers=headers)).status_code == 401


async def test_each_of_several_secrets_opens_and_no_other(house: Doors) -> None:
    for secret, code in ((ZENDESK_SECRET, 200), ("the one before", 200), ("", 401), ("other", 401)):
        assert (await house.zendesk(event("created"), secret=secret)).status_code == code


@pytest.mark.parametrize(
    "zendesk",
    [
        {"account_id": "1"},
        {"subdomain": "brightline"},
        {"signing_secrets": [" "]},
        {"signing_secrets": ["good", TEST_SECRET.get_secret_value()]},
    ],
)
def test_half_a_configuration_is_an_error(zendesk: dict[str, Any]) -> None:
    settings = IngestSettings.model_validate({"ingest": {"zendesk": zendesk}})
    with pytest.raises(ConfigurationError, match="LISTENINGPOST_INGEST__ZENDESK__SIGNING_SECRETS"):
        ZendeskChannel.is_open(settings)


def test_it_is_closed_while_nothing_is_set() -> None:
    assert not ZendeskChannel.is_open(IngestSettings())


@pytest.mark.skipif(not ADDED.is_file(), reason="the folder of real payloads is not here")
async def test_a_published_payload_is_an_agents_reply_and_of_a_customer_a_piece(
    house: Doors,
) -> None:
    published = json.loads(ADDED.read_text())
    await said(house, published)
    assert not house.events
    published["event"]["comment"]["author"]["is_staff"] = False
    (heard,) = await said(house, published)
    assert (heard.external_id, heard.source) == ("comment:9876543210", "22129848")
    assert heard.revision == 1_736_346_330_123_456


def test_the_time_has_up_to_nine_digits_or_none() -> None:
    for stated, iso in {
        "2025-01-08T14:25:30.123456789Z": "2025-01-08T14:25:30.123456+00:00",
        "2025-01-08T14:25:30.5Z": "2025-01-08T14:25:30.500000+00:00",
        "2025-01-08 16:25:30 +0200": "2025-01-08T14:25:30+00:00",
    }.items():
        found = moment(stated)
        assert found is not None
        assert found.isoformat() == iso
    assert moment("2025-01-08T14:25:30") is moment("x") is moment(None) is None
