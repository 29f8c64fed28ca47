"""What people and machines read: headlines, reasons, Slack's blocks, the webhook's JSON, thanks."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from services.notifier.domain.slack_message import message_of, withdrawn_message
from services.notifier.domain.thanks import thanks
from services.notifier.domain.webhook_message import body_of
from services.notifier.domain.wording import _OCCASIONS, content_of, facts, headline, why_sentences
from services.notifier.templates import Templates
from shared.domain.delivery import Content, Delivery, Purpose
from shared.domain.network import Why, WhyCode, involve
from shared.domain.summary import Count, Quote, Summary, Tally
from shared.events.feedback import Affiliation, Occasion, Rating, Speaker
from tests.support.company import NOW, directory, piece

ROW = Delivery(
    id="d-1",
    notice_id="n-1",
    feedback_id="f-1",
    purpose=Purpose.NOTICE,
    recipient="pia",
    chain=(),
    due_at=NOW,
    revision=1,
    received_at=NOW,
    content=Content(title="Order form", text="It is slow.", polarity="change", touchpoints=("Ordering",)),
    why=("You own *Ordering*",),
)


class TestWhy:
    @pytest.mark.parametrize(
        ("why", "sentence"),
        [
            (Why(WhyCode.OWNER, touchpoint="invoice"), "You own *Invoice*"),
            (Why(WhyCode.PRODUCT_OWNER, product="connect"), "You are the product manager of *Connect*"),
            (Why(WhyCode.TRIAGE), "You look after what nobody else owns yet"),
            (Why(WhyCode.PRAISED), "You are praised by name"),
            (
                Why(WhyCode.ACCOUNT_OWNER, account="acme"),
                "You look after *Acme*, and somebody there may leave",
            ),
            (Why(WhyCode.AGENT, touchpoint="ordering"), "Agent of *Ordering*"),
            (
                Why(WhyCode.AGENT_BEFORE, touchpoint="ordering", near="activation"),
                "Agent of *Ordering*, the step just before *Activation*",
            ),
            (
                Why(WhyCode.AGENT_AFTER, touchpoint="invoice", near="activation"),
                "Agent of *Invoice*, the step just after *Activation*",
            ),
            (Why(WhyCode.SUBSCRIBER, lens="finance_legal"), "You follow *finance & legal*"),
            (Why(WhyCode.OWNER, touchpoint="gone"), "You own *gone*"),
        ],
    )
    def test_in_plain_words(self, why: Why, sentence: str) -> None:
        assert why_sentences((why,), directory()) == (sentence,)

    def test_every_reason_has_its_words(self) -> None:
        assert {code.value for code in WhyCode} == {
            why.code.value
            for values in (
                {"touchpoints": ("activation",), "polarity": "change"},
                {"touchpoints": ("goodbye",), "polarity": "keep", "text": "Thanks, Dan Bill"},
                {
                    "touchpoints": (),
                    "reasons": ("may_leave",),
                    "by_account": "acme",
                    "lenses": {"design": 1.0},
                },
            )
            for one in involve(piece(**values), directory())
            for why in one.whys
        }

    def test_stars_in_a_name_do_not_end_the_emphasis(self) -> None:
        stages = [{"id": "s", "name": "S", "touchpoints": [{"id": "a", "name": "A*B\n*C"}]}]
        known = directory(products=[{"id": "p", "name": "P", "pm": "pia", "stages": stages}])
        assert why_sentences((Why(WhyCode.OWNER, touchpoint="a"),), known) == ("You own *AB C*",)


class TestHeadline:
    @pytest.mark.parametrize(
        ("values", "line"),
        [
            ({}, "Heard · Ordering: The order form is slow."),
            ({"polarity": "change", "title": "Form"}, "Change · Ordering: Form"),
            (
                {"polarity": "keep", "touchpoints": ("quote", "invoice")},
                "Keep · Invoice, Quote: The order form",
            ),
            ({"polarity": "mixed", "touchpoints": ()}, "Keep and change · no touchpoint: The order"),
            ({"touchpoints": (), "triage": True}, "Needs triage: The order form is slow."),
            ({"reasons": ("may_leave",), "polarity": "change"}, "Urgent: Change · Ordering: The order"),
            ({"title": "a\r\nBcc: x\x00\t b"}, "Heard · Ordering: a Bcc: x b"),
            ({"text": "", "title": ""}, "Heard · Ordering"),
        ],
    )
    def test_one_line(self, values: dict[str, Any], line: str) -> None:
        found = headline(content_of(piece(**({"touchpoints": ("ordering",)} | values)), directory()))
        assert found.startswith(line)
        assert found.isprintable()

    def test_it_is_cut_to_fit(self) -> None:
        assert len(headline(content_of(piece(title="x" * 5000), directory()))) < 120


class TestContent:
    def test_a_long_text_is_cut_and_says_so(self) -> None:
        content = content_of(piece(text="word " * 1000), directory())
        assert len(content.text) <= 2000
        assert content.shortened

    def test_who_speaks_and_for_whom(self) -> None:
        event = piece(
            reported_by=Speaker(
                person_id="ann",
                display_name="Ann Quote",
                affiliation=Affiliation.COLLEAGUE,
                department="sales",
            ),
            spoken_for="c",
            for_account="acme",
        )
        assert content_of(event, directory()).who == "Cora (Acme), reported by Ann Quote (colleague, Sales)"

    @pytest.mark.parametrize(
        ("occasion", "for_account", "who"),
        [
            ("lunch", "acme", "Ann (colleague), from a lunch with Cora (Acme)"),
            ("user_test", None, "Ann (colleague), from a user test"),
            ("board_meeting", None, "Ann (colleague), from board meeting"),
        ],
    )
    def test_from_which_conversation(self, occasion: str, for_account: str | None, who: str) -> None:
        ann = Speaker(person_id="ann", display_name="Ann", affiliation=Affiliation.COLLEAGUE)
        event = piece(reported_by=ann, occasion=occasion, for_account=for_account)
        assert content_of(event, directory()).who == who

    def test_every_occasion_has_its_words(self) -> None:
        assert set(_OCCASIONS) == set(Occasion)

    def test_of_a_confidential_piece_the_codename_and_a_department_if_any(self) -> None:
        speaker = Speaker(person_id="h", display_name="Heron", department="sales")
        event = piece(
            reported_by=speaker, confidential=True, codename="Heron", spoken_for="c", for_account="acme"
        )
        assert content_of(event, directory()).who == "Heron, in confidence (Sales)"

    @pytest.mark.parametrize(
        "url", ["javascript:alert(1)", "data:text/html,x", "https://a.example/\nx", "/local", "vbscript:x"]
    )
    def test_only_pages_are_linked(self, url: str) -> None:
        assert content_of(piece(url=url), directory()).url is None
        assert content_of(piece(url="https://a.example/x"), directory()).url == "https://a.example/x"

    def test_facts_leave_out_what_is_not_known(self) -> None:
        names = [name for name, _ in facts(content_of(piece(), directory()))]
        assert names == ["From", "Touchpoint", "Kind", "Came in by"]
        rated = piece(rating=Rating(value=1, min=1, max=5), tags={"kind": "example", "about": "competitor"})
        known = dict(facts(content_of(rated, directory())))
        assert known["Rating"] == "1 of 5"
        assert known["Kind"] == "example, about a competitor"

    def test_why_it_is_urgent_or_needs_a_look(self) -> None:
        urgent = content_of(piece(reasons=("may_leave", "odd_new_reason")), directory())
        assert dict(facts(urgent))["Urgent because"] == "a customer may leave, odd new reason"
        unclear = content_of(piece((), triage=True, tags={"triage_reason": "no_words"}), directory())
        assert dict(facts(unclear))["Needs triage because"] == "there are no words in it"


class TestSlack:
    def test_it_carries_the_delivery_s_id(self) -> None:
        assert message_of(ROW)["metadata"]["event_payload"] == {"delivery_id": "d-1"}

    def test_nobody_is_mentioned_and_nothing_linked_by_what_others_wrote(self) -> None:
        nasty = "<!channel> <@U1> <https://evil.example|bank> &lt;"
        row = replace(ROW, content=replace(ROW.content, text=nasty, who=nasty, title=nasty), why=(nasty,))
        message = message_of(row)
        sections = [block for block in message["blocks"] if block["type"] != "header"]
        assert "<!channel>" not in json.dumps([*sections, message["text"]])
        assert "<@U1>" not in json.dumps(sections)
        assert "<https://evil" not in json.dumps(sections)

    @pytest.mark.parametrize(
        "content",
        [
            Content(text="x" * 2000, title="t" * 2000, who="w" * 2000),
            Content(text="&" * 2000, title="&" * 2000, who="&" * 2000, url="https://a.example/?a=1&b=<x>|"),
            Content(text="\n" * 2000, lenses=("<" * 500,) * 8, attachments=("a&" * 200,) * 10),
            Content(),
        ],
    )
    def test_it_stays_within_slack_s_limits(self, content: Content) -> None:
        message = message_of(replace(ROW, content=content, why=("&" * 900,) * 5))
        assert 1 <= len(message["text"]) <= 4000
        assert 1 <= len(message["blocks"]) <= 50
        for block in message["blocks"]:
            match block["type"]:
                case "header":
                    assert 1 <= len(block["text"]["text"]) <= 150
                case "section":
                    assert 1 <= len(block["text"]["text"]) <= 3000
                case "context":
                    assert len(block["elements"]) <= 10
                    assert all(1 <= len(element["text"]) <= 2000 for element in block["elements"])
                case other:
                    pytest.fail(f"what is {other}?")
        assert "&a" not in json.dumps(message).replace("&amp;", "").replace("&lt;", "").replace("&gt;", "")

    def test_no_entity_is_cut_in_two(self) -> None:
        for length in range(1400, 1420):
            text = message_of(replace(ROW, content=Content(text="a" + "&" * length)))["blocks"][1]["text"][
                "text"
            ]
            assert text.replace("&amp;", "").strip(">a…") == ""

    def test_an_edit_says_so(self) -> None:
        assert "Changed by its author" in json.dumps(message_of(replace(ROW, purpose=Purpose.AMENDMENT)))

    def test_thanks_are_plain(self) -> None:
        message = message_of(replace(ROW, purpose=Purpose.ACKNOWLEDGEMENT))
        assert "Thank you" in message["text"]
        assert "It is slow" not in json.dumps(message)

    def test_what_is_taken_back_leaves_no_words(self) -> None:
        assert "slow" not in json.dumps(withdrawn_message())


class TestWebhook:
    def test_a_notice(self) -> None:
        body = json.loads(body_of(ROW, NOW))
        assert body["type"] == "feedback.notice"
        assert body["timestamp"] == NOW.isoformat()
        assert body["data"]["headline"] == "Change · Ordering: Order form"
        assert body["data"]["why"] == ["You own *Ordering*"]

    def test_a_deletion_tells_nothing_of_what_was_said(self) -> None:
        gone = replace(ROW, purpose=Purpose.REDACTION, amends="d-0")
        body = json.loads(body_of(gone, NOW))
        assert body["type"] == "feedback.deleted"
        assert set(body["data"]) == {"delivery_id", "notice_id", "feedback_id", "revision", "amends"}


class TestThanks:
    @pytest.mark.parametrize(
        ("language", "word"),
        [("en", "Thank"), ("de", "Dank"), ("fr", "Merci"), ("es", "Gracias"), ("und", "Thank")],
    )
    def test_in_the_language_that_was_used(self, language: str, word: str) -> None:
        said = thanks(Content(language=language, touchpoints=("Invoice", "Quote")))
        assert word in said.lines[0]
        assert "Invoice, Quote" in said.lines[1]

    def test_without_a_touchpoint_somebody_will_look(self) -> None:
        assert "person will read it" in thanks(Content(language="en")).lines[1]


_ODD = "&<>" * 200


class TestSummary:
    """The longest there can be, and the oddest."""

    SUMMARY = Summary(
        name="crm <2019>",
        pieces=412,
        of_all=10_000,
        keep=80,
        change=300,
        needs_triage=37,
        first_at=NOW,
        last_at=NOW,
        origins=tuple(Count(f"{_ODD}{n}", 1) for n in range(50)),
        touchpoints=tuple(Tally(f"{_ODD}{n}", 5, 1, 3) for n in range(50)),
        lenses=(Count("design", 4),),
        quoted=("f-1", "gone"),
        quotes=tuple(
            Quote(f"f-{n}", "<!channel> *x* " * 18, _ODD, ("Ordering",), "change") for n in range(5)
        ),
    )
    ROW = replace(ROW, purpose=Purpose.SUMMARY, feedback_id="", content=Content(), summary=SUMMARY)

    def test_slack_takes_it(self) -> None:
        message = message_of(self.ROW)
        blocks = message["blocks"]
        assert len(blocks) <= 50
        assert len(message["text"]) <= 4_000
        assert blocks[0]["text"]["text"] == "Summary · crm <2019>: 412 pieces, 300 to change, 80 to keep"
        for block in blocks[1:]:
            texts = [block["text"]] if "text" in block else block["elements"]
            for text in texts:
                assert 0 < len(text["text"]) <= 3_000
                assert "<!channel>" not in text["text"]
                assert "<" not in text["text"]
        assert message["metadata"]["event_payload"] == {"delivery_id": "d-1"}

    def test_machines_get_it_whole(self) -> None:
        frame = json.loads(body_of(self.ROW, NOW))
        assert (frame["type"], frame["timestamp"]) == ("feedback.summary", NOW.isoformat())
        data = frame["data"]
        assert set(data) == {
            "delivery_id", "notice_id", "headline", "why", "name", "pieces", "of_all", "keep", "change",
            "needs_triage", "first_at", "last_at", "origins", "touchpoints", "lenses", "quotes",
        }  # fmt: skip
        assert len(data["touchpoints"]) == 50
        assert data["touchpoints"][0] == {"name": f"{_ODD}0", "pieces": 5, "keep": 1, "change": 3}
        assert data["quotes"][0]["feedback_id"] == "f-0"
        assert data["first_at"] == NOW.isoformat()

    def test_a_mail_says_it_in_text_and_html(self) -> None:
        words = Templates().words(self.ROW)
        assert words.subject == "Summary · crm <2019>: 412 pieces, 300 to change, 80 to keep"
        assert words.text.startswith("412 pieces of the 10,000 that came are yours, said on 2026-11-22.\n")
        assert "Need triage: 37 of all 10,000\n" in words.text
        assert "Why you get this:\n- You own *Ordering*\n" in words.text
        assert "<!channel>" not in words.html
        assert "&lt;!channel&gt;" in words.html
        assert "<strong>Ordering</strong>" in words.html

    def test_a_summary_of_little_is_short(self) -> None:
        little = Summary("crm", 1, 1, 0, 1, 0, NOW, NOW, touchpoints=(Tally("Ordering", 1, 0, 1),))
        words = Templates().words(replace(self.ROW, summary=little, why=()))
        assert words.text == (
            "1 piece came with this import, said on 2026-11-22.\n"
            "\n- Ordering: 1, 1 to change beside 0 to keep\n"
        )
