"""Mail over SMTP on a socket: what becomes feedback, what is kept aside, and who is believed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path

import aiosmtplib
import pytest
import pytest_asyncio

from shared.domain.quarantine import QuarantineReason
from shared.errors import ConfigurationError
from shared.events.feedback import Affiliation
from tests.support.doors import CONFIDENTIAL, MAILBOX, Doors, doors
from tests.support.submissions import screenshot
from tests.support.wait import until

ANN = "Ann Quote <ann@brightline.example>"
INJECTED = "; dmarc=pass header.from=brightline.example"
AUTHENTIC = "mx.brightline.example; dmarc=pass header.from=brightline.example"


def letter(text: str = "The invoice is wrong.", **headers: str) -> EmailMessage:
    """A plain mail of Sam's; a header is named by keyword, with "_" for "-", and "" leaves it out."""
    message = EmailMessage()
    named = {
        "From": "Sam Stranger <sam@nowhere.example>",
        "To": MAILBOX,
        "Subject": "Invoice",
        "Date": "Mon, 04 May 2026 11:00:00 +0200",
        "Message_ID": "<one@nowhere.example>",
    }
    for name, value in (named | headers).items():
        if value:
            message[name.replace("_", "-")] = value
    message.set_content(text)
    return message


@pytest_asyncio.fixture
async def trusting(tmp_path: Path) -> AsyncIterator[Doors]:
    """Behind a mail server whose word on senders is believed."""
    mail = {"authserv_id": "mx.brightline.example", "trusted_relays": ["127.0.0.0/8"]}
    async with doors(tmp_path, mail=mail) as opened:
        yield opened


async def test_a_mail_is_kept_when_it_is_answered_250(house: Doors) -> None:
    answer = await house.send(bytes(letter()), "invoices@brightline.example")
    (event,) = house.events
    assert answer.code == 250
    assert (event.channel, event.source, event.title, event.text) == (
        "mail",
        "mail",
        "Invoice",
        "The invoice is wrong.",
    )
    assert event.occurred_at.isoformat() == "2026-05-04T09:00:00+00:00"
    assert (event.hints.product, event.hints.touchpoint) == ("portal", "invoice")
    assert event.thread_id == "<one@nowhere.example>"


async def test_only_declared_mailboxes_have_mail(house: Doors) -> None:
    for address in ("somebody@brightline.example", "feedback@elsewhere.example", "root"):
        with pytest.raises(aiosmtplib.SMTPRecipientRefused) as refused:
            await house.send(bytes(letter()), address)
        assert refused.value.code == 550
    assert (await house.send(bytes(letter()), MAILBOX.upper())).code == 250
    assert len(house.events) == 1


async def test_the_same_mail_is_one_piece_by_whatever_way_it_comes(house: Doors) -> None:
    mail = bytes(letter())
    for raw in (mail, b"Received: from a by b; now\r\n" + mail, mail.replace(b"\n", b"\r\n")):
        await house.send(raw)
    assert len({event.feedback_id for event in house.events}) == 1
    assert len({event.revision for event in house.events}) == 1


async def test_a_message_id_used_again_overwrites_nobody(house: Doors) -> None:
    for text in ("The invoice is wrong.", "The invoice is right."):
        await house.send(bytes(letter(text)))
    await house.send(bytes(letter("No id.", Message_ID="")))
    await house.send(bytes(letter("No id.", Message_ID="")))
    assert len({event.feedback_id for event in house.events}) == 3


async def test_a_reply_belongs_to_the_thread_of_the_first_mail(house: Doors) -> None:
    await house.send(
        bytes(
            letter(
                "Still wrong.\n\nOn Mon, 4 May 2026, Support wrote:\n> Is it right now?\n",
                References="<root@nowhere.example> <two@nowhere.example>",
                In_Reply_To="<two@nowhere.example>",
            )
        )
    )
    (event,) = house.events
    assert (event.thread_id, event.text) == ("<root@nowhere.example>", "Still wrong.")
    (whole,) = event.attachments
    assert b"Is it right now?" in house.parts.memory.files[whole.sha256]


async def test_screenshots_come_with_their_mail_and_need_no_words(house: Doors) -> None:
    message = letter("")
    message.add_attachment(screenshot(), maintype="image", subtype="png", filename="übersicht.png")
    await house.send(bytes(message))
    (event,) = house.events
    assert [(a.name, a.media_type) for a in event.attachments] == [("übersicht.png", "image/png")]


async def test_a_forwarded_mail_speaks_for_who_wrote_it(house: Doors) -> None:
    message = letter("See below.", Subject="Fwd: Portal")
    message.add_attachment(letter("I cannot log in.", From="Carl <carl@acme.example>", Subject="Portal"))
    await house.send(bytes(message))
    (event,) = house.events
    assert event.spoken_for is not None
    assert event.spoken_for.display_name == "Carl"
    assert event.text == "See below.\n\nPortal\n\nI cannot log in."


@pytest.mark.parametrize(
    ("to", "header"), [(CONFIDENTIAL, CONFIDENTIAL), (MAILBOX, f"{MAILBOX}, In Confidence <{CONFIDENTIAL}>")]
)
async def test_a_mailbox_may_promise_confidence(house: Doors, to: str, header: str) -> None:
    await house.send(bytes(letter(To=header)), to)
    (event,) = house.events
    assert event.confidential
    assert "Sam" not in event.reported_by.display_name
    assert (event.thread_id, event.external_id, event.reply_to) == (None, None, None)


# ---- Who it is from ----


async def test_a_sender_that_nobody_vouches_for_is_nobody_and_gets_no_answer(house: Doors) -> None:
    await house.send(bytes(letter(From=ANN, Authentication_Results=AUTHENTIC)))
    (event,) = house.events
    assert (event.reported_by.affiliation, event.reported_by.department) == (Affiliation.UNKNOWN, None)
    assert event.reported_by.person_id != "ann"
    assert event.reply_to is None


async def test_a_proven_colleague_is_recognised_and_answered_in_the_thread(trusting: Doors) -> None:
    mail = letter(From=ANN, Authentication_Results=AUTHENTIC, References="<root@brightline.example>")
    await trusting.send(bytes(mail))
    (event,) = trusting.events
    assert event.reported_by.person_id == "ann"
    assert event.reply_to is not None
    assert (event.reply_to.receiver, event.reply_to.address) == ("email", "ann@brightline.example")
    assert event.reply_to.thread == "<root@brightline.example> <one@nowhere.example>"
    assert not event.reply_to.auto_generated


@pytest.mark.parametrize(
    "results",
    [
        "mx.brightline.example; dkim=pass header.d=brightline.example",
        "MX.brightline.example 1; dkim=fail; DKIM=PASS (1024-bit) header.i=@x header.d=brightline.example",
        "mx.brightline.example; spf=pass smtp.mailfrom=ann@brightline.example",
        'mx.brightline.example; spf=fail; dmarc=pass (p="x;y") header.from=brightline.example',
    ],
)
async def test_what_proves_a_sender(trusting: Doors, results: str) -> None:
    await trusting.send(bytes(letter(From=ANN, Authentication_Results=results)))
    assert trusting.events[0].reported_by.person_id == "ann"


@pytest.mark.parametrize(
    "results",
    [
        "",
        "mx.evil.example; dmarc=pass header.from=brightline.example",
        "mx.brightline.example.evil.example; dmarc=pass header.from=brightline.example",
        "mx.brightline.example; none",
        "mx.brightline.example; dmarc=fail; dkim=pass header.d=brightline.example",
        "mx.brightline.example; dmarc=pass header.from=evil.example",
        "mx.brightline.example; dkim=pass header.d=evil.example; spf=pass smtp.mailfrom=evil.example",
        "mx.brightline.example; dkim=pass header.d=sub.brightline.example",
        "mx.brightline.example; dkim=pass header.d=example",
        f'mx.brightline.example; spf=pass smtp.mailfrom="x{INJECTED}"@evil.example',
        f'mx.brightline.example; spf=none (of "a) {INJECTED} ("@evil.example)',
        f"mx.brightline.example; spf=none (a) {INJECTED} (b",
        "dmarc=pass header.from=brightline.example",
    ],
)
async def test_what_proves_nothing(trusting: Doors, results: str) -> None:
    await trusting.send(bytes(letter(From=ANN, Authentication_Results=results)))
    assert trusting.events[0].reported_by.person_id != "ann"
    assert trusting.events[0].reply_to is None


async def test_only_the_topmost_verdict_counts(trusting: Doors) -> None:
    verdicts = b"Authentication-Results: mx.brightline.example; dmarc=fail\r\n"
    await trusting.send(verdicts + bytes(letter(From=ANN, Authentication_Results=AUTHENTIC)))
    assert trusting.events[0].reply_to is None


async def test_a_mail_from_two_is_from_nobody(trusting: Doors) -> None:
    two = f"{ANN}, evil@evil.example"
    await trusting.send(bytes(letter(From=two, Authentication_Results=AUTHENTIC)))
    assert trusting.events[0].reply_to is None


async def test_the_word_of_a_server_counts_only_from_where_it_stands(tmp_path: Path) -> None:
    mail = {"authserv_id": "mx.brightline.example", "trusted_relays": ["10.0.0.0/8", "fd00::/8"]}
    async with doors(tmp_path, mail=mail) as house:
        await house.send(bytes(letter(From=ANN, Authentication_Results=AUTHENTIC)))
        assert house.events[0].reply_to is None


# ---- What no person wrote ----

AUTO, BOUNCE, LOOP = QuarantineReason.AUTO_REPLY, QuarantineReason.BOUNCE, QuarantineReason.LOOP


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"Auto_Submitted": "auto-replied"}, AUTO),
        ({"Auto_Submitted": "auto-generated; owner-email=x@y.example"}, AUTO),
        ({"X_Auto_Response_Suppress": "All"}, AUTO),
        ({"Precedence": "bulk"}, AUTO),
        ({"Precedence": "auto_reply"}, AUTO),
        ({"List_Id": "<talk.lists.example>"}, AUTO),
        ({"X_Autoreply": "yes"}, AUTO),
        ({"From": "no-reply@shop.example"}, AUTO),
        ({"From": "DoNotReply+1@shop.example"}, AUTO),
        ({"Subject": "Automatic reply: Invoice"}, AUTO),
        ({"Subject": "RE: Out of Office: back on Monday"}, AUTO),
        ({"Subject": "Automatische Antwort: Rechnung"}, AUTO),
        ({"Subject": "Abwesenheitsnotiz: Rechnung"}, AUTO),
        ({"Subject": "Réponse automatique : facture"}, AUTO),
        ({"Subject": "Respuesta automática: factura"}, AUTO),
        ({"Subject": "自动回复: 发票"}, AUTO),
        ({"Return_Path": "<>"}, BOUNCE),
        ({"From": "MAILER-DAEMON@mx.example"}, BOUNCE),
        ({"From": "Mail Delivery System <postmaster@mx.example>"}, BOUNCE),
        ({"Subject": "Undelivered Mail Returned to Sender"}, BOUNCE),
        ({"Subject": "Unzustellbar: Rechnung"}, BOUNCE),
        ({"From": MAILBOX}, LOOP),
        ({"From": "Listening Post <notices@brightline.example>"}, LOOP),
        ({"Message_ID": "<d1@notices.brightline.example>"}, LOOP),
    ],
)
async def test_what_no_person_wrote_is_kept_aside_and_answered_250(
    tmp_path: Path, headers: dict[str, str], reason: QuarantineReason
) -> None:
    own = {
        "own_addresses": ["notices@brightline.example"],
        "own_message_id_domains": ["notices.brightline.example"],
    }
    async with doors(tmp_path, mail=own) as house:
        assert (await house.send(bytes(letter(**headers)))).code == 250
        assert house.aside == [("mail", reason)]
        assert not house.events


async def test_a_mail_without_a_return_path_is_a_bounce(house: Doors) -> None:
    await house.send(bytes(letter()), sender="")
    assert house.aside == [("mail", BOUNCE)]


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "no"},
        {"X_Auto_Response_Suppress": "None"},
        {"Subject": "The out of office assistant does not work"},
        {"Subject": "Your delivery report page is wrong"},
        {"From": "Norbert Reply <norbert.reply@nowhere.example>"},
        {"Precedence": "normal"},
    ],
)
async def test_what_a_person_wrote_is_not_taken_for_a_machines(house: Doors, headers: dict[str, str]) -> None:
    await house.send(bytes(letter(**headers)))
    assert len(house.events) == 1


async def test_mailing_lists_may_be_heard(tmp_path: Path) -> None:
    server = {"authserv_id": "mx.brightline.example", "trusted_relays": ["127.0.0.0/8"]}
    async with doors(tmp_path, mail={"hear_mailing_lists": True, **server}) as house:
        mail = letter(From=ANN, Authentication_Results=AUTHENTIC, List_Id="<talk>", Precedence="list")
        await house.send(bytes(mail))
        (event,) = house.events
        assert event.reply_to is not None
        assert event.reply_to.auto_generated


# ---- What is hostile or cannot be kept ----


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", QuarantineReason.EMPTY),
        (b"\r\n", QuarantineReason.EMPTY),
        (b"From: a@b.example\r\n\r\n\r\n", QuarantineReason.EMPTY),
        (b"Content-Type: multipart/mixed; boundary=a\r\n\r\n" * 200, QuarantineReason.UNPARSABLE),
    ],
)
async def test_what_says_nothing_or_cannot_be_read_is_kept_aside(
    house: Doors, raw: bytes, reason: QuarantineReason
) -> None:
    assert (await house.send(raw)).code == 250
    assert house.aside == [("mail", reason)]


async def test_a_long_line_is_taken_and_a_long_mail_refused(house: Doors) -> None:
    assert (await house.send(b"Subject: x\r\n\r\n" + b"long " * 20_000)).code == 250
    with pytest.raises(aiosmtplib.SMTPDataError) as refused:
        await house.send(b"Subject: x\r\n\r\n" + b"too much\r\n" * 600_000)
    assert refused.value.code == 552


async def test_lines_end_with_crlf_and_nothing_else(house: Doors) -> None:
    """Or the second message would ride in on the first (SMTP smuggling)."""
    reader, writer = await asyncio.open_connection("127.0.0.1", house.mail.port)
    smuggled = b"MAIL FROM:<evil@evil.example>\r\nRCPT TO:<" + MAILBOX.encode() + b">\r\nDATA\r\n"
    said = b"Subject: one\r\n\r\none\n.\n" + smuggled + b"Subject: two\r\n\r\ntwo\r\n.\r\n"
    start = b"EHLO x\r\nMAIL FROM:<sam@nowhere.example>\r\nRCPT TO:<" + MAILBOX.encode() + b">\r\nDATA\r\n"
    writer.write(start)
    while not (await reader.readline()).startswith(b"354"):
        pass
    writer.write(said)
    assert (await reader.readline()).startswith(b"250")
    writer.close()
    assert len(house.events) == 1


async def test_451_while_it_cannot_be_kept(house: Doors) -> None:
    house.parts.kafka.away = True
    await house.parts.spool.stop()
    with pytest.raises(aiosmtplib.SMTPDataError) as refused:
        await house.send(bytes(letter()))
    assert refused.value.code == 451


async def test_a_sender_that_hangs_up_after_its_last_line_has_still_sent_it(house: Doors) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", house.mail.port)
    commands = f"EHLO x\r\nMAIL FROM:<sam@nowhere.example>\r\nRCPT TO:<{MAILBOX}>\r\nDATA\r\n"
    writer.write(commands.encode() + bytes(letter()).replace(b"\n", b"\r\n") + b".\r\n")
    writer.write_eof()
    await until(lambda: house.events, within_s=5, what="the mail is kept")
    writer.close()


async def test_more_connections_than_the_limit_are_told_to_come_again(tmp_path: Path) -> None:
    async with doors(tmp_path, mail={"max_connections": 1}) as house:
        _, first = await asyncio.open_connection("127.0.0.1", house.mail.port)
        await until(lambda: house.mail.connections == 1, within_s=5, what="the first is counted")
        reader, second = await asyncio.open_connection("127.0.0.1", house.mail.port)
        assert (await reader.readline()).startswith(b"421")
        first.close()
        second.close()
        await until(lambda: house.mail.connections == 0, within_s=5, what="the first is gone")
        assert (await house.send(bytes(letter()))).code == 250


async def test_a_silent_connection_is_closed(tmp_path: Path) -> None:
    async with doors(tmp_path, mail={"timeout_s": 0.1}) as house:
        reader, writer = await asyncio.open_connection("127.0.0.1", house.mail.port)
        assert (await reader.readline()).startswith(b"220")
        assert await reader.readline() == b""
        writer.close()


@pytest.mark.parametrize(
    ("mail", "variable"),
    [
        ({"mailboxes": []}, "MAIL__MAILBOXES"),
        ({"authserv_id": "mx.example"}, "MAIL__TRUSTED_RELAYS"),
    ],
)
async def test_a_door_that_is_configured_by_halves_does_not_open(
    tmp_path: Path, mail: dict[str, object], variable: str
) -> None:
    with pytest.raises(ConfigurationError, match=variable):
        async with doors(tmp_path, mail=mail):
            pass


async def test_a_port_that_is_taken_is_named(house: Doors, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="MAIL__PORT"):
        async with doors(tmp_path / "other", mail={"port": house.mail.port}):
            pass


async def test_it_says_when_it_does_not_listen(house: Doors) -> None:
    assert house.mail.problem() is None
    await house.mail.stop()
    assert house.mail.problem() is not None
