"""A mail server that takes everything and keeps it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.smtp import SMTP, Envelope, Session

from shared import clock

_LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as it arrived. `words` is everything it shows, in every form it has."""

    at: datetime
    sender: str
    recipient: str
    message_id: str
    in_reply_to: str
    subject: str
    words: str


class MailSink:
    """aiosmtpd's protocol, so that the other side meets a real SMTP server."""

    def __init__(self, on_mail: Callable[[Mail], None] = lambda _: None) -> None:
        self.mails: list[Mail] = []
        self.port = 0
        self._on_mail = on_mail

    @asynccontextmanager
    async def listening(self, port: int = 0) -> AsyncIterator[MailSink]:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: SMTP(self, enable_SMTPUTF8=True, loop=loop, ident="mail sink"), _LOOPBACK, port
        )
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            await server.wait_closed()

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        content = envelope.content or b""
        raw = content.encode("utf-8") if isinstance(content, str) else content
        parsed = message_from_bytes(raw, _class=EmailMessage, policy=policy.default)
        for recipient in envelope.rcpt_tos:
            mail = _mail(parsed, envelope.mail_from or "", recipient)
            self.mails.append(mail)
            self._on_mail(mail)
        return "250 kept"


def _mail(parsed: EmailMessage, sender: str, recipient: str) -> Mail:
    subject = str(parsed.get("Subject", ""))
    texts = [part.get_content() for part in parsed.walk() if part.get_content_maintype() == "text"]
    return Mail(
        at=clock.now(),
        sender=sender,
        recipient=recipient,
        message_id=str(parsed.get("Message-ID", "")).strip(),
        in_reply_to=str(parsed.get("In-Reply-To", "")).strip(),
        subject=subject,
        words="\n".join([subject, *texts]),
    )
