"""What `up` and `demo --stay` show of what is sent: to whom, what, and why."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest
from rich.console import Console

from deploy.demo.shown import Screen, Sent, names_of, sent_call, sent_post
from deploy.demo.sinks.mail import Mail
from deploy.demo.sinks.slack import Post
from deploy.demo.sinks.webhook import Call
from services.notifier.domain import slack_message, webhook_message
from services.notifier.templates import Templates
from shared.domain.delivery import Content, Delivery, Purpose
from shared.domain.workspace import Workspace
from tests.support.company import COMPANY, NOW

ROW = Delivery(
    id="d1",
    notice_id="n1",
    feedback_id="f1",
    purpose=Purpose.NOTICE,
    recipient="pia",
    chain=(),
    due_at=NOW,
    revision=1,
    received_at=NOW,
    content=Content(text="Nobody can read it."),
    why=("Agent of *Bill*", "You follow *design*"),
)
WHY = ("Agent of Bill", "You follow design")
POST = Post("DPIA", "1.1", NOW, {**slack_message.message_of(ROW), "channel": "DPIA"})


@pytest.mark.parametrize(
    ("post", "to", "said"),
    [
        (POST, "Pia Post", ""),
        (replace(POST, edits=1), "Pia Post", "(changed) "),
        (replace(POST, deleted=True), "Pia Post", "(taken back)"),
        (
            replace(POST, content={"channel": "C1", "text": "Thanks", "thread_ts": "1.0"}),
            "C1, in the thread",
            "Thanks",
        ),
    ],
)
def test_a_slack_message_is_shown_with_who_gets_it(post: Post, to: str, said: str) -> None:
    sent = sent_post(post, {"UPIA": "Pia Post"})
    assert sent.to == to
    assert sent.said.startswith(said)


def test_the_reasons_are_those_the_notice_gives() -> None:
    assert sent_post(POST, {}).why == WHY
    mail = Templates().words(ROW)
    shown = _shown(
        Mail(NOW, "", "pia@small.example", "", "", mail.subject, f"{mail.subject}\n{mail.text}\r\n")
    )
    assert shown[0].startswith("→ mail     pia@small.example: ")
    assert shown[1].strip() == "why: Agent of Bill · You follow design"


def test_a_webhook_call_is_shown_with_its_reasons() -> None:
    call = Call(NOW, "w1", json.loads(webhook_message.body_of(ROW, NOW)))
    sent = sent_call(call)
    assert (sent.by, sent.to) == ("webhook", "crm")
    assert sent.said.startswith("feedback.notice ")
    assert sent.why == WHY
    assert sent_call(replace(call, body=[])) == Sent("webhook", "crm", "a call")


def test_nothing_is_shown_before_it_is_on_and_nothing_steers_the_terminal() -> None:
    mail = Mail(NOW, "", "p@x.example", "", "", "Red \x1b[31m", "")
    assert _shown(mail, on=False) == []
    assert _shown(mail) == ["→ mail     p@x.example: Red ·[31m"]


def test_people_are_known_by_their_slack_ids() -> None:
    names = names_of(Workspace.model_validate(COMPANY))
    assert set(names) == {
        slack_id for person in COMPANY["people"] for slack_id in person.get("slack_ids", ())
    }


def _shown(mail: Mail, *, on: bool = True) -> list[str]:
    out = io.StringIO()
    Screen(Console(file=out, width=20), on=on).mail(mail)
    return out.getvalue().splitlines()
