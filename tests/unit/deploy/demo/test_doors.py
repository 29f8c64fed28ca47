"""What the demo sends is what the real party would send."""

from __future__ import annotations

from email import message_from_bytes, policy

from deploy.demo.doors.answer import Answer
from deploy.demo.doors.mail import AUTHSERV_ID, CONFIDENTIAL, FEEDBACK, compose
from deploy.demo.doors.slack import signature
from deploy.demo.pieces import Act, Door, Outcome, Piece
from tests.support.company import NOW


def mail(**changes: object) -> Piece:
    known = {"id": "x", "door": Door.MAIL, "who": "ada@customer.example", "text": "Grüße", "subject": "Größe"}
    return Piece.model_validate(known | changes)


def test_slack_signs_as_its_documentation_shows() -> None:
    """The example of docs.slack.dev, "Verifying requests from Slack"."""
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
        b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
        b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
        b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    expected = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
    assert signature("8f742231b10e8888abcd99yyyzzz85a5", 1531420618, body) == expected


def test_the_company_s_mail_server_says_whether_the_sender_is_who_they_claim() -> None:
    assert f"{AUTHSERV_ID}; dmarc=pass header.from=customer.example" in str(
        compose(mail(), None)["Authentication-Results"]
    )
    assert "dmarc=fail" in str(compose(mail(act=Act.FORGED), None)["Authentication-Results"])


def test_mails_of_every_kind_can_be_sent_and_read() -> None:
    original = (mail(), Answer(Outcome.KEPT, "250", NOW, name="<1@customer.example>"))
    for act in (
        Act.SAY,
        Act.HTML,
        Act.REPLY,
        Act.CONFIDENTIAL,
        Act.AUTO_REPLY,
        Act.BOUNCE,
        Act.WRONG_RECIPIENT,
    ):
        sent = compose(mail(act=act, charset="iso-8859-1"), original)
        read = message_from_bytes(sent.as_bytes(), policy=policy.default)
        assert read["Subject"] == "Größe"
        if act is Act.REPLY:
            assert read["In-Reply-To"] == "<1@customer.example>"
        assert (read["To"] in {FEEDBACK, CONFIDENTIAL}) is (act is not Act.WRONG_RECIPIENT)
    bounce = message_from_bytes(compose(mail(act=Act.BOUNCE, who=""), None).as_bytes(), policy=policy.default)
    assert bounce.get_content_type() == "multipart/report"
    assert [part.get_content_type() for part in bounce.iter_parts()] == [
        "text/plain",
        "message/delivery-status",
    ]
