"""What is particular to mail: connections that stay, threads, what each reply of a server means."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from services.notifier.receivers.email import EmailReceiver
from shared.domain.delivery import Content, Delivery, ProviderRef, Purpose, Target
from shared.errors import ConfigurationError, PermanentError, Reason, TransientError, UnknownOutcome
from tests.support.company import NOW
from tests.support.receiver_benches import reason_of, settings
from tests.support.smtp_server import SmtpServer

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
    content=Content(
        title="Bestellung größer", text="It is slow.", polarity="change", touchpoints=("Ordering",)
    ),
)
PIA = Target("email", "pia@brightline.example")


@pytest_asyncio.fixture
async def server() -> AsyncIterator[SmtpServer]:
    async with SmtpServer() as server:
        yield server


def receiver_of(server: SmtpServer, **changes: Any) -> EmailReceiver:  # noqa: ANN401 - settings
    email = {
        "host": "127.0.0.1",
        "port": server.port,
        "sender": "Pöst <post@brightline.example>",
        "timeout_s": 2.0,
    }
    return EmailReceiver(settings(email=email | changes))


@pytest_asyncio.fixture
async def receiver(server: SmtpServer) -> AsyncIterator[EmailReceiver]:
    receiver = receiver_of(server)
    yield receiver
    await receiver.stop()


class TestConnections:
    async def test_one_is_enough_for_one_after_the_other(
        self, server: SmtpServer, receiver: EmailReceiver
    ) -> None:
        for _ in range(10):
            await receiver.send(ROW, PIA)
        assert server.connections == 1

    async def test_no_more_than_allowed_at_once(self, server: SmtpServer) -> None:
        receiver = receiver_of(server, connections=3)
        await asyncio.gather(*(receiver.send(ROW, PIA) for _ in range(30)))
        assert len(server.mails) == 30
        assert server.connections <= 3
        await receiver.stop()

    async def test_a_server_that_restarted_costs_no_mail(
        self, server: SmtpServer, receiver: EmailReceiver
    ) -> None:
        await receiver.send(ROW, PIA)
        await server.stop()
        await server.start()
        await receiver.send(ROW, PIA)
        assert len(server.mails) == 2

    async def test_a_refusal_does_not_cost_the_connection(
        self, server: SmtpServer, receiver: EmailReceiver
    ) -> None:
        server.at_data = "554 no"
        for _ in range(3):
            with pytest.raises(PermanentError):
                await receiver.send(ROW, PIA)
        server.at_data = None
        await receiver.send(ROW, PIA)
        assert server.connections == 1

    async def test_after_doubt_the_next_mail_goes_by_a_new_one(
        self, server: SmtpServer, receiver: EmailReceiver
    ) -> None:
        server.at_data = "hang up"
        with pytest.raises(UnknownOutcome):
            await receiver.send(ROW, PIA)
        server.at_data = None
        await receiver.send(ROW, PIA)
        assert len(server.mails) == 1

    async def test_a_send_that_is_cut_off_gives_its_place_back(self, server: SmtpServer) -> None:
        receiver = receiver_of(server, connections=1)
        server.at_data = "silence"
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await receiver.send(ROW, PIA)
        server.at_data = None
        await receiver.send(ROW, PIA)
        assert len(server.mails) == 1
        await receiver.stop()


class TestRepliesOfAServer:
    @pytest.mark.parametrize(
        ("at_rcpt", "at_data", "kind", "reason"),
        [
            ("450 busy", None, TransientError, Reason.REJECTED),
            ("451 greylisted", None, TransientError, Reason.REJECTED),
            ("550 no such user", None, PermanentError, Reason.REJECTED),
            ("553 no", None, PermanentError, Reason.REJECTED),
            ("421 closing", None, TransientError, Reason.UNREACHABLE),
            ("hang up", None, TransientError, Reason.UNREACHABLE),
            (None, "421 closing", TransientError, Reason.UNREACHABLE),
            (None, "452 no room", TransientError, Reason.REJECTED),
            (None, "554 spam", PermanentError, Reason.REJECTED),
        ],
    )
    async def test_what_it_means(
        self,
        server: SmtpServer,
        receiver: EmailReceiver,
        at_rcpt: str | None,
        at_data: str | None,
        kind: type[PermanentError | TransientError],
        reason: Reason,
    ) -> None:
        server.at_rcpt, server.at_data = at_rcpt, at_data
        with pytest.raises(kind) as raised:
            await receiver.send(ROW, PIA)
        assert reason_of(raised.value) is reason
        server.at_rcpt = server.at_data = None
        await receiver.send(ROW, PIA)

    async def test_a_garbled_answer_to_the_mail_is_doubt(
        self, server: SmtpServer, receiver: EmailReceiver
    ) -> None:
        server.at_data = "what?"
        with pytest.raises(UnknownOutcome):
            await receiver.send(ROW, PIA)

    async def test_a_server_without_authentication_is_misconfigured(self, server: SmtpServer) -> None:
        receiver = receiver_of(server, username="post", password="hunter2")
        with pytest.raises(PermanentError) as raised:
            await receiver.send(ROW, PIA)
        assert raised.value.reason is Reason.CONFIGURATION
        assert "hunter2" not in str(raised.value)
        await receiver.stop()


class TestTheMail:
    async def test_it_is_text_and_html_in_utf_8(self, server: SmtpServer, receiver: EmailReceiver) -> None:
        await receiver.send(ROW, PIA)
        (mail,) = server.mails
        assert mail.message["Subject"] == "Change · Ordering: Bestellung größer"
        assert mail.message["From"] == "Pöst <post@brightline.example>"
        assert mail.message["To"] == "pia@brightline.example"
        assert mail.sender == "post@brightline.example"
        assert mail.message["Message-ID"] == "<d-1@brightline.example>"
        assert mail.message.get_content_type() == "multipart/alternative"
        assert "Bestellung größer" in mail.part("plain")
        assert "Bestellung größer" in mail.part("html")
        assert mail.message["Date"] is not None
        assert mail.message["List-Unsubscribe"] is None
        assert mail.raw.isascii()
        assert max(map(len, mail.raw.splitlines())) <= 998

    async def test_an_amendment_joins_the_thread(self, server: SmtpServer, receiver: EmailReceiver) -> None:
        original = ProviderRef("email", PIA.address, "<d-0@brightline.example>")
        await receiver.send(replace(ROW, purpose=Purpose.AMENDMENT), PIA, original)
        (mail,) = server.mails
        assert mail.message["In-Reply-To"] == "<d-0@brightline.example>"
        assert str(mail.message["Subject"]).startswith("Re: Change")

    @pytest.mark.parametrize(
        ("thread", "answers", "references"),
        [
            (None, None, None),
            ("", None, None),
            ("<a@x>", "<a@x>", "<a@x>"),
            ("<a@x> <b@x>", "<b@x>", "<a@x> <b@x>"),
            ("<a@x>\r\nBcc: everybody@x", "<a@x>", "<a@x>"),
            ("no id at all", None, None),
            (" ".join(f"<{n}@x>" for n in range(50)), "<49@x>", " ".join(f"<{n}@x>" for n in range(40, 50))),
        ],
    )
    async def test_an_answer_joins_the_thread_it_answers(
        self,
        server: SmtpServer,
        receiver: EmailReceiver,
        thread: str | None,
        answers: str | None,
        references: str | None,
    ) -> None:
        row = replace(ROW, purpose=Purpose.ACKNOWLEDGEMENT)
        await receiver.send(row, replace(PIA, thread=thread))
        (mail,) = server.mails
        assert mail.message["In-Reply-To"] == answers
        found = mail.message["References"]
        assert (None if found is None else " ".join(str(found).split())) == references
        assert mail.message["Bcc"] is None

    @pytest.mark.parametrize("title", ["Re: Rechnung", "RE: Rechnung", "Rechnung"])
    async def test_the_subject_does_not_grow(
        self, server: SmtpServer, receiver: EmailReceiver, title: str
    ) -> None:
        row = replace(ROW, purpose=Purpose.ACKNOWLEDGEMENT, content=replace(ROW.content, title=title))
        await receiver.send(row, PIA)
        assert str(server.mails[0].message["Subject"]).lower() == "re: rechnung"

    async def test_an_address_beyond_ascii(self, server: SmtpServer, receiver: EmailReceiver) -> None:
        await receiver.send(ROW, replace(PIA, address="jörg@bücher.example"))
        (mail,) = server.mails
        assert mail.recipient == "jörg@bücher.example"
        assert mail.raw.isascii()

    @pytest.mark.parametrize(
        "address",
        ["", "pia", "@x.example", "pia@", "a b@x.example", "<pia@x.example>", "pia@x.example\n", "a@b@c"],
    )
    async def test_what_is_no_address_is_refused(
        self, server: SmtpServer, receiver: EmailReceiver, address: str
    ) -> None:
        with pytest.raises(PermanentError):
            await receiver.send(ROW, replace(PIA, address=address))
        assert server.mails == []


def test_a_sender_that_is_no_address_stops_the_start() -> None:
    with pytest.raises(ConfigurationError) as raised:
        EmailReceiver(settings(email={"sender": "nobody"}))
    assert "EMAIL__SENDER" in str(raised.value)
