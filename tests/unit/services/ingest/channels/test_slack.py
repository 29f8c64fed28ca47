"""Slack's events: what is heard, what is passed over, and that nothing Slack sends ends in an error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from shared.domain.quarantine import QuarantineReason
from shared.errors import ConfigurationError
from shared.events.feedback import Affiliation, Change
from tests.support.doors import SIGNING_SECRET, SLACK, Doors, doors, encoded, sign
from tests.support.fixtures import contents, payloads
from tests.support.submissions import RECEIVED_AT

TS = "1777887000.000100"
BEFORE_US = 1_777_887_000_000_100


def event(**fields: Any) -> dict[str, Any]:  # noqa: ANN401 - any field of Slack's
    """A plain message of Ann's in a channel, as Slack sends it."""
    message = {
        "type": "message",
        "user": "U0ANN",
        "text": "The invoice is wrong.",
        "ts": TS,
        "channel": "C1",
        "event_ts": TS,
        "channel_type": "channel",
    }
    return {
        "type": "event_callback",
        "team_id": "T1",
        "api_app_id": "A1",
        "event_id": "Ev1",
        "event_time": 1_777_887_000,
        "event": {key: value for key, value in (message | fields).items() if value is not None},
    }


def edit(
    text: str, *, before: str = "The invoice is wrong.", at: str = "1777887060.000000"
) -> dict[str, Any]:
    inner = {"type": "message", "user": "U0ANN", "ts": TS}
    return event(
        subtype="message_changed",
        message=inner | {"text": text, "edited": {"user": "U0ANN", "ts": at}},
        previous_message=inner | {"text": before},
        ts=at,
        event_ts=at,
        user=None,
        text=None,
    )


async def test_a_message_becomes_feedback_of_a_proven_person(house: Doors) -> None:
    answer = await house.slack(event(thread_ts="1777880000.000000"))
    (heard,) = house.events
    assert (answer.status_code, answer.content) == (200, b"")
    assert (heard.channel, heard.source, heard.external_id) == ("slack", "T1", f"C1:{TS}")
    assert (heard.text, heard.revision) == ("The invoice is wrong.", BEFORE_US)
    assert heard.thread_id == "C1:1777880000.000000"
    assert (heard.reported_by.person_id, heard.reported_by.affiliation) == ("ann", Affiliation.COLLEAGUE)
    assert heard.reply_to is not None
    assert (heard.reply_to.receiver, heard.reply_to.address, heard.reply_to.thread) == (
        "slack",
        "C1",
        "1777880000.000000",
    )


async def test_what_is_answered_in_a_message_of_its_own_starts_a_thread_there(house: Doors) -> None:
    await house.slack(event())
    (heard,) = house.events
    assert heard.reply_to is not None
    assert heard.reply_to.thread == TS


async def test_slack_sends_again_what_it_got_no_answer_for_and_it_is_one_piece(house: Doors) -> None:
    for number in range(3):
        answer = await house.slack(
            event(), x_slack_retry_num=str(number), x_slack_retry_reason="http_timeout"
        )
        assert answer.status_code == 200
    assert len({(heard.feedback_id, heard.revision) for heard in house.events}) == 1


async def test_an_edit_is_a_later_revision_of_the_same_piece(house: Doors) -> None:
    await house.slack(event())
    await house.slack(edit("The invoice is right, sorry."))
    first, second = house.events
    assert (second.feedback_id, second.change) == (first.feedback_id, Change.EDITED)
    assert second.revision == 1_777_887_060_000_000 > first.revision
    assert second.text == "The invoice is right, sorry."


async def test_a_preview_that_slack_adds_is_no_edit(house: Doors) -> None:
    assert (await house.slack(edit("The invoice is wrong."))).status_code == 200
    assert not house.events


async def test_a_deletion_is_a_tombstone_later_than_the_last_edit(house: Doors) -> None:
    await house.slack(event())
    gone = {"type": "message", "user": "U0ANN", "ts": TS, "text": "The invoice is wrong."}
    at = "1777887090.000000"
    await house.slack(
        event(subtype="message_deleted", deleted_ts=TS, previous_message=gone, ts=at, event_ts=at, user=None)
    )
    first, last = house.events
    assert (last.feedback_id, last.change, last.text) == (first.feedback_id, Change.DELETED, "")
    assert last.revision == 1_777_887_090_000_000


async def test_the_stone_a_deleted_first_message_leaves_is_a_deletion(house: Doors) -> None:
    stone = edit("This message was deleted.")
    stone["event"]["message"]["subtype"] = "tombstone"
    await house.slack(stone)
    (last,) = house.events
    assert last.change is Change.DELETED


@pytest.mark.parametrize(
    "fields",
    [
        {"bot_id": "B1"},
        {"bot_id": "B1", "subtype": "bot_message", "user": None},
        {"subtype": "bot_message"},
        {"app_id": "A1"},
        {"user": "USLACKBOT"},
        {"subtype": "channel_join"},
        {"subtype": "channel_topic"},
        {"subtype": "message_replied"},
        {"type": "reaction_added"},
        {"user": None},
    ],
)
async def test_what_no_person_said_is_passed_over(house: Doors, fields: dict[str, Any]) -> None:
    assert (await house.slack(event(**fields))).status_code == 200
    assert not house.events
    assert not house.aside


async def test_an_edit_of_a_bots_message_is_passed_over(house: Doors) -> None:
    changed = edit("new")
    changed["event"]["message"]["bot_id"] = "B1"
    await house.slack(changed)
    assert not house.events


@pytest.mark.parametrize("subtype", [None, "file_share", "thread_broadcast", "me_message"])
async def test_what_people_say_is_heard_in_every_form(house: Doors, subtype: str | None) -> None:
    await house.slack(event(subtype=subtype))
    assert len(house.events) == 1


async def test_a_mention_of_the_app_is_not_part_of_what_is_said(house: Doors) -> None:
    asked = event(type="app_mention", text="<@UBOT> the invoice is wrong")
    asked["authorizations"] = [{"team_id": "T1", "user_id": "UBOT", "is_bot": True}]
    await house.slack(asked)
    (heard,) = house.events
    assert heard.text == "the invoice is wrong"


@pytest.mark.parametrize(
    ("text", "said", "confidential"),
    [
        ("#confidential My manager is rude.", "My manager is rude.", True),
        ("  Confidential: My manager is rude.", "My manager is rude.", True),
        ("#Confidential\nMy manager", "My manager", True),
        ("#confidentiality is a word", "#confidentiality is a word", False),
        ("This is confidential: no", "This is confidential: no", False),
    ],
)
async def test_a_word_at_the_start_hides_who_speaks(
    house: Doors,
    text: str,
    said: str,
    confidential: bool,  # noqa: FBT001 - a table
) -> None:
    await house.slack(event(text=text))
    (heard,) = house.events
    assert (heard.text, heard.confidential) == (said, confidential)
    if confidential:
        assert "Ann" not in heard.reported_by.display_name
        assert (heard.url, heard.thread_id, heard.external_id) == (None, None, None)


async def test_who_asked_for_confidence_does_not_lose_it_by_an_edit(house: Doors) -> None:
    await house.slack(edit("My manager is polite.", before="#confidential My manager is rude."))
    (heard,) = house.events
    assert heard.confidential


async def test_a_channel_tells_what_its_messages_are_about_and_others_are_not_heard(tmp_path: Path) -> None:
    places = {"C1": {"product": "portal", "touchpoint": "invoice"}}
    async with doors(tmp_path, slack={"channels": places}) as house:
        await house.slack(event())
        await house.slack(event(channel="C2"))
        await house.slack(event(channel="D1", channel_type="im"))
        assert [heard.hints.touchpoint for heard in house.events] == ["invoice", None]


async def test_a_message_longer_than_an_event_is_cut_not_refused(house: Doors) -> None:
    await house.slack(event(text="ä" * 150_000))
    (heard,) = house.events
    assert heard.truncated
    assert len(heard.text) == 100_000


# ---- Whether it is Slack ----


async def test_the_challenge_is_answered_only_to_slack(house: Doors) -> None:
    asked = {"type": "url_verification", "challenge": "3eZbrw1aB", "token": "x"}
    assert (await house.slack(asked)).json() == {"challenge": "3eZbrw1aB"}
    unsigned = await house.http.post(SLACK, json=asked)
    assert (unsigned.status_code, b"3eZbrw1aB" in unsigned.content) == (401, False)


@pytest.mark.parametrize("at", [-301, 301, 86_400 * 365])
async def test_a_timestamp_may_be_five_minutes_off_on_either_side(house: Doors, at: int) -> None:
    assert (await house.slack(event(), at=at)).status_code == 401
    assert (await house.slack(event(), at=at / abs(at) * 299)).status_code == 200
    assert len(house.events) == 1


@pytest.mark.parametrize("stamp", ["", "soon", "1e9", "-5", "9" * 400, "\uff11\uff17", "1777887000.0"])
async def test_a_timestamp_that_is_none_is_401(house: Doors, stamp: str) -> None:
    content = json.dumps(event()).encode()
    headers = encoded(sign(content, stamp))
    assert (await house.http.post(SLACK, content=content, headers=headers)).status_code == 401


@pytest.mark.parametrize("signature", ["", "v0=", "v0=" + "0" * 64, "v1=" + "0" * 64, "v0=é"])
async def test_a_signature_of_another_is_401(house: Doors, signature: str) -> None:
    assert (await house.slack(event(), x_slack_signature=signature)).status_code == 401
    assert not house.events


async def test_a_body_changed_on_the_way_is_401(house: Doors) -> None:
    content = json.dumps(event()).encode()
    headers = sign(content, str(int(RECEIVED_AT.timestamp())))
    answer = await house.http.post(SLACK, content=content.replace(b"wrong", b"right"), headers=headers)
    assert answer.status_code == 401


async def test_the_secret_before_this_one_is_taken_while_it_is_rotated(tmp_path: Path) -> None:
    rotated = {"signing_secret": "the-new-one", "previous_signing_secret": SIGNING_SECRET}
    async with doors(tmp_path, slack=rotated) as house:
        content = json.dumps(event()).encode()
        stamp = str(int(RECEIVED_AT.timestamp()))
        for secret, status in ((SIGNING_SECRET, 200), ("the-new-one", 200), ("another", 401), ("", 401)):
            answer = await house.http.post(SLACK, content=content, headers=sign(content, stamp, secret))
            assert answer.status_code == status


@pytest.mark.parametrize("slack", [{"bot_token": "xoxb-1"}, {"channels": {"C1": {}}, "signing_secret": " "}])
async def test_without_its_secret_the_door_does_not_open(tmp_path: Path, slack: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="SLACK__SIGNING_SECRET") as caught:
        async with doors(tmp_path, slack={"signing_secret": None} | slack):
            pass
    assert "xoxb" not in str(caught.value)


async def test_a_door_that_nobody_configured_is_not_there(tmp_path: Path) -> None:
    closed: dict[str, Any] = {"mail": {"port": None}, "zendesk": {"signing_secrets": []}}
    async with doors(tmp_path, slack={"signing_secret": None}, **closed) as house:
        assert [channel.name for channel in house.channels] == [
            "cloudevents",
            "imports",
            "note",
            "rest",
            "webhook",
        ]
        assert (await house.http.post(SLACK, json={})).status_code == 404


# ---- What cannot be read ----


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[]",
        b'{"type": 7}',
        b"[" * 50_000,
        b'{"type": "event_callback", "event": []}',
        json.dumps(event(ts=None)).encode(),
        json.dumps(event(ts="soon")).encode(),
        json.dumps(event(channel=None)).encode(),
        json.dumps(event(text={"a": 1})).encode(),
        json.dumps(event(subtype="message_changed")).encode(),
        json.dumps(event(subtype="message_deleted")).encode(),
        json.dumps(event(files=[{"size": "big"}])).encode(),
    ],
)
async def test_what_slack_sent_and_cannot_be_read_is_kept_aside_and_not_asked_for_again(
    house: Doors, body: bytes
) -> None:
    assert (await house.slack(body)).status_code == 200
    assert house.aside == [("slack", QuarantineReason.UNPARSABLE)]
    assert house.parts.memory.aside[0].raw == body[:1_000]


async def test_a_broken_character_is_replaced_and_the_message_kept(house: Doors) -> None:
    broken = json.dumps(event(text="Nice \ud83d and \x00")).encode()
    assert (await house.slack(broken)).status_code == 200
    (heard,) = house.events
    assert heard.text == "Nice \ufffd and"


async def test_a_message_without_a_word_is_kept_aside(house: Doors) -> None:
    assert (await house.slack(event(text=""))).status_code == 200
    assert house.aside == [("slack", QuarantineReason.EMPTY)]


async def test_slack_is_told_to_come_again_while_nothing_can_be_kept(house: Doors) -> None:
    house.parts.kafka.away = True
    await house.parts.spool.stop()
    answer = await house.slack(event())
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


async def test_a_body_beyond_all_bounds_is_413(tmp_path: Path) -> None:
    async with doors(tmp_path, slack={"max_body_bytes": 65_536}) as house:
        assert (await house.slack(event(text="a" * 70_000))).status_code == 413


async def test_slack_says_that_it_holds_events_back(house: Doors) -> None:
    limited = {"type": "app_rate_limited", "team_id": "T1", "minute_rate_limited": 1, "api_app_id": "A1"}
    assert (await house.slack(limited)).status_code == 200
    assert not house.aside


@pytest.mark.parametrize("path", payloads("slack"), ids=lambda path: path.name)
async def test_every_real_payload_is_answered(house: Doors, path: Path) -> None:
    assert (await house.slack(contents(path))).status_code == 200
    assert len(house.events) + len(house.aside) <= 1
