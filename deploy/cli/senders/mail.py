"""A mail over SMTP to a declared mailbox, as the company's mail server would hand it on."""

from __future__ import annotations

import asyncio
import smtplib
from email.message import EmailMessage
from email.utils import format_datetime

from deploy.cli.output import Failed
from deploy.cli.senders.knock import Knock, missing
from shared import clock

#: RFC 6761 section 6.4: nobody has it, so nobody can be answered.
_SENDER = "selftest@listening-post.invalid"
_WITHIN_S = 20.0


async def send(knock: Knock, text: str) -> str:
    port, boxes = knock.ingest.mail.port, knock.ingest.mail.mailboxes
    if not port:
        raise missing("LISTENINGPOST_INGEST__MAIL__PORT")
    if not boxes:
        raise missing("LISTENINGPOST_INGEST__MAIL__MAILBOXES")
    try:
        return await asyncio.to_thread(
            _hand_over, mail(knock.nonce, str(boxes[0].address), text), knock.host, port
        )
    except smtplib.SMTPResponseException as error:
        raise _refused(error.smtp_code, error.smtp_error) from None
    except smtplib.SMTPRecipientsRefused as error:
        raise _refused(*next(iter(error.recipients.values()))) from None
    except (OSError, smtplib.SMTPException) as error:
        raise Failed(f"{knock.host}:{port} cannot be spoken to ({type(error).__name__})") from None


def mail(nonce: str, to: str, text: str) -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"] = _SENDER, to
    made["Subject"], made["Date"] = "Self-test", format_datetime(clock.now())
    made["Message-ID"] = f"<{nonce}@listening-post.invalid>"
    made.set_content(text)
    return made


def _refused(code: int, said: bytes | str) -> Failed:
    return Failed(f"answered {code} {said.decode('utf-8', 'replace') if isinstance(said, bytes) else said}")


def _hand_over(mail: EmailMessage, host: str, port: int) -> str:
    with smtplib.SMTP(host, port, timeout=_WITHIN_S) as server:
        refused = server.send_message(mail)
    return "250 kept" if not refused else f"refused {refused}"
