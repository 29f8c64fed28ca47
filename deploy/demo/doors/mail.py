"""Mail, as it comes from the company's own mail server: checked there, and handed on over SMTP.

That server adds Authentication-Results (RFC 8601): whether the sender is who they claim to be. Ours believes
it, because it is told to (LISTENINGPOST_INGEST__MAIL__AUTHSERV_ID).
"""

from __future__ import annotations

from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime, formataddr, make_msgid

import aiosmtplib

from deploy.demo.doors.answer import Answer
from deploy.demo.pieces import Act, Outcome, Piece
from deploy.demo.screenshot import screenshot
from shared import clock


@dataclass(frozen=True, slots=True)
class MailHouse:
    """Whom a company's mail is addressed to, and what its own mail server is called."""

    feedback: str
    confidential: str
    authserv_id: str


def mail_house(domain: str) -> MailHouse:
    return MailHouse(f"feedback@{domain}", f"in-confidence@{domain}", f"mx.{domain}")


_EXAMPLE = mail_house("leuchtfeld.example")
FEEDBACK, CONFIDENTIAL, AUTHSERV_ID = _EXAMPLE.feedback, _EXAMPLE.confidential, _EXAMPLE.authserv_id
_OUTCOMES = {
    Act.REPEAT: Outcome.REPEATED,
    Act.AUTO_REPLY: Outcome.QUARANTINED,
    Act.BOUNCE: Outcome.QUARANTINED,
}


class MailDoor:
    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port

    async def close(self) -> None:
        """Each mail has a connection of its own, as from strangers."""

    async def send(self, piece: Piece, of: tuple[Piece, Answer] | None) -> Answer:
        """`refused` with the server's own words where it does not take the mail."""
        mail = compose(piece, of)
        raw = of[1].raw if of is not None and piece.act is Act.REPEAT else mail.as_bytes()
        sender = of[0].who if of is not None and piece.act is Act.REPEAT else piece.who
        sent_at = clock.now()
        try:
            async with aiosmtplib.SMTP(hostname=self._host, port=self._port, start_tls=False) as server:
                await server.mail(sender)
                await server.rcpt(str(mail["To"]))
                said = (await server.data(raw)).message
        except aiosmtplib.SMTPResponseException as error:
            return Answer(Outcome.REFUSED, f"{error.code}", sent_at, problem={"detail": error.message})
        outcome = _OUTCOMES.get(piece.act, Outcome.KEPT)
        return Answer(outcome, f"250 {said}"[:40], sent_at, name=str(mail["Message-ID"]), raw=raw)


def compose(piece: Piece, of: tuple[Piece, Answer] | None) -> EmailMessage:
    """The mail as the company's mail server hands it on."""
    mail = EmailMessage()
    domain = piece.who.rpartition("@")[2] or "leuchtfeld.example"
    verdict = "fail" if piece.act is Act.FORGED else "pass"
    mail["Authentication-Results"] = f"{AUTHSERV_ID}; dmarc={verdict} header.from={domain}"
    mail["From"] = formataddr((piece.name, piece.who)) if piece.who else "MAILER-DAEMON@mx.leuchtfeld.example"
    mail["To"] = _recipient(piece)
    mail["Subject"] = piece.subject
    mail["Date"] = format_datetime(clock.now())
    mail["Message-ID"] = make_msgid(domain=domain)
    if of is not None and piece.act is Act.REPLY:
        mail["In-Reply-To"] = mail["References"] = of[1].name
    if piece.act is Act.AUTO_REPLY:
        mail["Auto-Submitted"] = "auto-replied"
        mail["Precedence"] = "bulk"
    _fill(mail, piece)
    return mail


def _recipient(piece: Piece) -> str:
    if piece.act is Act.WRONG_RECIPIENT:
        return "everybody@elsewhere.example"
    return CONFIDENTIAL if piece.act is Act.CONFIDENTIAL else FEEDBACK


def _fill(mail: EmailMessage, piece: Piece) -> None:
    if piece.act is Act.BOUNCE:
        mail.set_content(piece.text)
        mail.make_mixed()
        mail.set_type("multipart/report")
        mail.set_param("report-type", "delivery-status")
        mail.attach(_delivery_status())
        return
    if piece.act is Act.HTML:
        paragraphs = "".join(f"<p>{line}</p>" for line in piece.text.splitlines())
        mail.set_content(f"<html><body><div>{paragraphs}</div></body></html>", subtype="html")
    else:
        mail.set_content(piece.text, charset=piece.charset)
    if piece.file is not None:
        mail.add_attachment(screenshot(), maintype="image", subtype="png", filename=f"{piece.file}.png")


def _delivery_status() -> EmailMessage:
    """Two groups of fields: of the message, and of its recipient. Source: RFC 3464 section 2."""
    about_message, about_recipient, report = EmailMessage(), EmailMessage(), EmailMessage()
    about_message["Reporting-MTA"] = "dns; mx.leuchtfeld.example"
    about_recipient["Final-Recipient"] = "rfc822; gone@elsewhere.example"
    about_recipient["Action"] = "failed"
    about_recipient["Status"] = "5.1.1"
    report["Content-Type"] = "message/delivery-status"
    report.set_payload([about_message, about_recipient])
    return report
