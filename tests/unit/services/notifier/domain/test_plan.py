"""Which deliveries follow from a piece: new, edited, deleted, told again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeAlias

import pytest

from services.notifier.domain.plan import Frame, plan, refreshed
from shared.domain.delivery import (
    CONTRIBUTOR,
    SEALED,
    WITHDRAWN,
    Delivery,
    ProviderRef,
    Purpose,
    State,
    Target,
)
from shared.domain.directory import Directory
from shared.domain.routing import compile_routes
from shared.events.feedback import Attachment, Cause, Change, FeedbackClassified, Mode, ReplyTo
from tests.support.company import NOW, directory, mail_reply, piece

Column: TypeAlias = Any
RECEIVERS = [
    {"id": "people", "kind": "people", "via": ["email", "slack"]},
    {"id": "people-slack", "kind": "people", "via": ["slack"]},
    {"id": "war-room", "kind": "slack", "address": "C0WAR"},
    {"id": "desk", "kind": "email", "address": "desk@brightline.example"},
    {"id": "oscars-box", "kind": "email", "address": "oscar@brightline.example"},
    {"id": "hook", "kind": "webhook", "url": "https://hooks.example/in", "secret": "secret:hook"},
]
ROUTE = {
    "receiver": "people",
    "routes": [
        {"match": ["channel=test-places"], "receiver": "war-room", "continue": True},
        {"match": ["channel=test-places"], "receiver": "hook", "continue": True},
        {"match": ["channel=test-places"], "receiver": "people"},
        {"match": ["channel=test-slack"], "receiver": "people-slack"},
        {"match": ["channel=test-own-box"], "receiver": "oscars-box", "continue": True},
        {"match": ["channel=test-own-box"], "receiver": "desk"},
    ],
}


def frame(known: Directory | None = None, **changes: Column) -> Frame:
    known = known or directory(receivers=RECEIVERS, route=ROUTE)
    values: dict[str, Any] = {
        "directory": known,
        "routes": compile_routes(known.workspace.route),
        "now": NOW + timedelta(minutes=1),
        "max_age": timedelta(hours=24),
    }
    return Frame(**(values | changes))


def rows_of(event: FeedbackClassified, *earlier: Delivery, **changes: Column) -> list[Delivery]:
    return list(plan(event, frame(**changes), earlier))


def told(rows: list[Delivery], purpose: Purpose = Purpose.NOTICE) -> list[str]:
    return [row.recipient for row in rows if row.purpose is purpose]


def sent(row: Delivery, receiver: str = "email", **changes: Column) -> Delivery:
    ref = ProviderRef(receiver, "somewhere", "id-1")
    return replace(row, **{"state": State.SENT, "provider_ref": ref, **changes})


class TestReceived:
    def test_everybody_involved_gets_one_notice_with_the_reasons(self) -> None:
        rows = rows_of(piece(("ordering",), polarity="change"))
        assert told(rows) == ["pia", "ben", "ann", "cleo"]
        why = {row.recipient: row.why for row in rows}
        assert why == {
            "pia": ("You are the product manager of *Connect*",),
            "ben": ("Agent of *Ordering*",),
            "ann": ("Agent of *Ordering*", "Agent of *Quote*, the step just before *Ordering*"),
            "cleo": ("Agent of *Activation*, the step just after *Ordering*",),
        }

    def test_the_chain_follows_the_receiver_and_what_addresses_there_are(self) -> None:
        chains = {row.recipient: row.chain for row in rows_of(piece(("activation", "ordering")))}
        assert chains["oscar"] == (Target("email", "oscar@brightline.example"), Target("slack", "U0OSCAR"))
        assert chains["ben"] == (Target("slack", "U0BEN"),)
        assert chains["cleo"] == (Target("email", "cleo@brightline.example"),)

    def test_who_has_no_address_of_the_kind_is_reached_by_another(self) -> None:
        chains = {row.recipient: row.chain for row in rows_of(piece(("activation",), channel="test-slack"))}
        assert chains["oscar"] == (Target("slack", "U0OSCAR"),)
        assert chains["cleo"] == (Target("email", "cleo@brightline.example"),)

    def test_who_has_no_address_at_all_is_listed_as_failed(self) -> None:
        people = directory().workspace.model_dump()["people"]
        people[-1]["subscriptions"] = [{"lens": "design"}]
        known = directory(receivers=RECEIVERS, route=ROUTE, people=people)
        rows = rows_of(piece(("goodbye",), lenses={"design": 0.9}), known=known)
        silent = next(row for row in rows if row.recipient == "hal")
        assert (silent.state, silent.chain, silent.problem) == (
            State.FAILED,
            (),
            "no address in the directory",
        )

    def test_places_get_it_beside_the_people(self) -> None:
        rows = rows_of(piece(("goodbye",), channel="test-places"))
        assert told(rows) == ["pia", "place:war-room", "place:hook"]
        by_recipient = {row.recipient: row for row in rows}
        assert by_recipient["place:war-room"].chain == (Target("slack", "C0WAR"),)
        assert by_recipient["place:hook"].chain == (
            Target("webhook", "https://hooks.example/in", secret="secret:hook"),
        )
        assert by_recipient["place:war-room"].why == ("The routes send this to *war-room*",)

    def test_places_alone_when_no_route_leads_to_people(self) -> None:
        assert told(rows_of(piece(("goodbye",), channel="test-own-box"))) == [
            "place:oscars-box",
            "place:desk",
        ]

    def test_nobody_s_own_mailbox_gets_their_own_words(self) -> None:
        rows = rows_of(piece(("goodbye",), channel="test-own-box", by="oscar"))
        assert told(rows) == ["place:desk"]

    def test_urgency_is_the_row_s(self) -> None:
        assert all(row.urgent for row in rows_of(piece(reasons=("may_leave",))))
        assert not any(row.urgent for row in rows_of(piece()))

    def test_ids_depend_on_piece_and_recipient_alone(self) -> None:
        first = rows_of(piece(polarity="change"))
        again = rows_of(piece(polarity="change", revision=1), now=NOW + timedelta(hours=3))
        assert [row.id for row in first] == [row.id for row in again]
        assert len({row.id for row in first}) == len(first)
        other = rows_of(piece(polarity="change", feedback_id="f-2"))
        assert not {row.id for row in first} & {row.id for row in other}

    def test_told_again_adds_nothing(self) -> None:
        first = rows_of(piece(reply_to=mail_reply()))
        assert rows_of(piece(reply_to=mail_reply()), *first) == []

    def test_the_trace_goes_along(self) -> None:
        (row, *_) = plan(piece(), frame(), (), "00-1-2-01")
        assert row.trace == "00-1-2-01"


class TestWhoMayBeAlerted:
    @pytest.mark.parametrize("mode", [mode for mode in Mode if mode is not Mode.LIVE])
    def test_only_live_pieces(self, mode: Mode) -> None:
        assert rows_of(piece(mode=mode, reply_to=mail_reply())) == []

    @pytest.mark.parametrize(
        ("age", "alerts"),
        [
            (timedelta(hours=23, minutes=59), True),
            (timedelta(hours=24), False),
            (timedelta(days=400), False),
            (-timedelta(hours=1), True),
        ],
    )
    def test_only_young_ones(self, age: timedelta, *, alerts: bool) -> None:
        happened = frame().now - age
        event = piece(occurred_at=happened, received_at=NOW, reply_to=mail_reply())
        assert bool(rows_of(event)) is alerts

    def test_a_colleague_s_note_is_news_when_it_is_written(self) -> None:
        friday = NOW - timedelta(days=3)
        assert rows_of(piece(occurred_at=friday, received_at=NOW, occasion="lunch", reply_to=mail_reply()))
        assert not rows_of(piece(occurred_at=friday, received_at=friday, occasion="lunch"))

    def test_what_came_in_long_ago_is_old_whatever_it_says_of_itself(self) -> None:
        assert rows_of(piece(occurred_at=NOW + timedelta(days=30), received_at=NOW - timedelta(days=2))) == []

    def test_a_reclassified_piece_is_told_to_nobody(self) -> None:
        assert rows_of(piece(cause=Cause.RECLASSIFIED, reply_to=mail_reply())) == []


class TestAcknowledgement:
    def test_in_the_thread_it_came_from(self) -> None:
        (row,) = (row for row in rows_of(piece(reply_to=mail_reply())) if row.recipient == CONTRIBUTOR)
        assert row.purpose is Purpose.ACKNOWLEDGEMENT
        assert row.chain == (Target("email", "cora@acme.example", "<m1@acme.example>"),)
        assert not row.urgent

    def test_not_without_an_address(self) -> None:
        assert told(rows_of(piece()), Purpose.ACKNOWLEDGEMENT) == []

    def test_never_to_a_machine(self) -> None:
        event = piece(reply_to=mail_reply(auto_generated=True))
        assert told(rows_of(event), Purpose.ACKNOWLEDGEMENT) == []

    def test_of_what_is_urgent_it_is_not_urgent(self) -> None:
        rows = rows_of(piece(reply_to=mail_reply(), reasons=("may_leave",)))
        assert [row.urgent for row in rows if row.purpose is Purpose.ACKNOWLEDGEMENT] == [False]

    def test_of_a_confidential_piece_the_address_stays_sealed(self) -> None:
        event = piece(reply_to=ReplyTo(receiver=SEALED, address="f-1"), confidential=True, codename="Heron")
        (row,) = (row for row in rows_of(event) if row.recipient == CONTRIBUTOR)
        assert row.chain == (Target(SEALED, "f-1"),)

    def test_it_does_not_repeat_what_was_said(self) -> None:
        event = piece(reply_to=mail_reply(), text="a secret matter")
        (row,) = (row for row in rows_of(event) if row.recipient == CONTRIBUTOR)
        assert "secret" not in str(row.content)

    def test_of_one_s_own_words_one_is_thanked_all_the_same(self) -> None:
        rows = rows_of(piece(("goodbye",), by="pia", reply_to=mail_reply(address="pia@brightline.example")))
        assert told(rows, Purpose.ACKNOWLEDGEMENT) == [CONTRIBUTOR]
        assert told(rows) == ["tess"]


def edit(
    revision: int = 2, text: str = "The order form is slow and ugly.", **changes: Column
) -> FeedbackClassified:
    values: dict[str, Any] = {
        "cause": Cause.EDITED,
        "change": Change.EDITED,
        "revision": revision,
        "text": text,
    }
    return piece(changes.pop("touchpoints", ("goodbye",)), **(values | changes))


class TestEdited:
    def test_who_was_told_sees_the_change_and_nobody_is_told_twice(self) -> None:
        before = [sent(row) for row in rows_of(piece(("goodbye",), reply_to=mail_reply()))]
        rows = rows_of(edit(reply_to=mail_reply()), *before)
        assert [(row.purpose, row.recipient) for row in rows] == [(Purpose.AMENDMENT, "pia")]
        (row,) = rows
        assert row.amends == before[0].id
        assert row.content.text == "The order form is slow and ugly."
        assert not row.urgent
        assert not row.in_place_only

    def test_what_is_in_flight_is_amended_as_well(self) -> None:
        (before,) = rows_of(piece(("goodbye",)))
        assert told(rows_of(edit(), replace(before, state=State.SENDING)), Purpose.AMENDMENT) == ["pia"]

    @pytest.mark.parametrize("state", [State.DUE, State.FAILED, State.CANCELLED, State.UNKNOWN])
    def test_what_was_not_sent_has_nothing_to_amend(self, state: State) -> None:
        (before,) = rows_of(piece(("goodbye",)))
        assert rows_of(edit(), replace(before, state=state)) == []

    def test_what_shows_the_new_text_already_is_left_alone(self) -> None:
        (before,) = rows_of(edit())
        assert rows_of(edit(), sent(before)) == []

    def test_an_edit_that_changes_nothing_anybody_sees_is_told_to_nobody(self) -> None:
        (before,) = rows_of(piece(("goodbye",), text="The same."))
        later = NOW + timedelta(minutes=5)
        assert rows_of(edit(text="The same.", occurred_at=later), sent(before)) == []

    def test_the_newly_concerned_are_told_for_the_first_time(self) -> None:
        (before,) = rows_of(piece(("goodbye",)))
        rows = rows_of(edit(touchpoints=("goodbye", "activation")), sent(before))
        assert told(rows) == ["oscar", "cleo"]
        assert told(rows, Purpose.AMENDMENT) == ["pia"]

    def test_an_edit_of_what_nobody_planned_yet_is_news(self) -> None:
        rows = rows_of(edit(reply_to=mail_reply()))
        assert [row.purpose for row in rows] == [Purpose.NOTICE, Purpose.ACKNOWLEDGEMENT]

    def test_of_what_is_old_only_the_message_itself_is_edited(self) -> None:
        (before,) = rows_of(piece(("goodbye",)))
        late = {"now": NOW + timedelta(days=3)}
        assert rows_of(edit(), sent(before, "email"), **late) == []
        (row,) = rows_of(edit(), sent(before, "slack"), **late)
        assert (row.purpose, row.in_place_only) == (Purpose.AMENDMENT, True)

    def test_two_edits_are_two_amendments(self) -> None:
        (before,) = rows_of(piece(("goodbye",)))
        (second,) = rows_of(edit(2), sent(before))
        (third,) = rows_of(edit(3, text="Thrice."), sent(before), sent(second))
        assert second.id != third.id
        assert third.amends == before.id

    def test_an_edit_that_was_overtaken_is_told_to_nobody(self) -> None:
        (before,) = rows_of(edit(5))
        assert rows_of(edit(4, touchpoints=("activation",)), sent(before)) == []

    def test_a_fallback_of_what_is_amended_is_not_tried(self) -> None:
        (before, _) = rows_of(piece(("activation",)))
        (row, *_) = rows_of(edit(touchpoints=("activation",)), sent(before, "slack", position=1))
        assert row.chain == (Target("slack", "U0OSCAR"),)

    def test_unsent_rows_follow(self) -> None:
        content = refreshed(edit(), directory())
        assert content is not None
        assert content.text == "The order form is slow and ugly."
        assert refreshed(piece(), directory()) is None


class TestCorrected:
    def test_only_the_newly_right_people_are_told(self) -> None:
        (before,) = rows_of(piece(("goodbye",)))
        event = piece(("activation",), cause=Cause.CORRECTED, tag_revision=2)
        rows = rows_of(event, sent(before))
        assert [(row.purpose, row.recipient) for row in rows] == [
            (Purpose.NOTICE, "oscar"),
            (Purpose.NOTICE, "cleo"),
        ]


def deletion(**changes: Column) -> FeedbackClassified:
    return piece((), cause=Cause.DELETED, change=Change.DELETED, revision=9, text="", **changes)


class TestDeleted:
    def test_what_was_sent_is_taken_back_where_it_can_be(self) -> None:
        before = rows_of(piece(("goodbye",), channel="test-places", reply_to=mail_reply()))
        by_mail, by_slack, by_hook, thanks = before
        after = (sent(by_mail), sent(by_slack, "slack"), sent(by_hook, "webhook"), sent(thanks))
        rows = [row for row in rows_of(deletion(), *after) if row.state is State.DUE]
        assert [(row.recipient, row.amends) for row in rows] == [
            ("place:war-room", by_slack.id),
            ("place:hook", by_hook.id),
        ]
        assert all(row.content == WITHDRAWN and row.in_place_only for row in rows)

    def test_what_is_in_flight_is_taken_back_if_it_may_go_by_a_receiver_that_can(self) -> None:
        before = [replace(row, state=State.SENDING) for row in rows_of(piece(("activation", "quote")))]
        rows = [row for row in rows_of(deletion(), *before) if row.state is State.DUE]
        assert [row.recipient for row in rows] == ["oscar"]

    def test_it_leaves_a_mark_that_older_events_run_into(self) -> None:
        (mark,) = rows_of(deletion())
        assert (mark.state, mark.recipient, mark.purpose) == (State.CANCELLED, "", Purpose.REDACTION)
        assert rows_of(piece(("activation",), reply_to=mail_reply()), mark) == []
        assert rows_of(deletion(), mark) == []

    def test_an_old_or_imported_one_is_taken_back_too(self) -> None:
        (before,) = rows_of(piece(("goodbye",)))
        event = deletion(mode=Mode.IMPORT, occurred_at=NOW - timedelta(days=90))
        rows = rows_of(event, sent(before, "slack"))
        assert [row.recipient for row in rows] == ["", "pia"]

    def test_every_row_forgets_its_content(self) -> None:
        assert refreshed(deletion(), directory()) == WITHDRAWN


class TestConfidential:
    def test_neither_name_nor_link_nor_file_name_is_shown(self) -> None:
        event = piece(
            ("goodbye",),
            confidential=True,
            codename="Heron",
            url="https://slack.example/archives/C1/p1",
            attachments=(
                Attachment(id="a", name="sam.png", media_type="image/png", size_bytes=1, sha256="0"),
            ),
        )
        (row,) = rows_of(event)
        assert row.content.who == "Heron, in confidence"
        assert row.content.url is None
        assert row.content.attachments == ("image/png",)
        assert "Sam" not in str(row)
