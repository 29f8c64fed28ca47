"""Mail over SMTP: a listener for declared mailboxes, and for nobody else. 250 once the mail is kept.

It takes mail from a mail server in front (or from inside the house); it is no open relay, sends nothing, and
believes nothing about a sender but what that server says.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import structlog
from aiosmtpd.smtp import SMTP, Envelope, Session
from fastapi import APIRouter

from services.ingest.channels.mail_server import Connection
from services.ingest.context import ChannelContext
from services.ingest.domain.mail.authenticity import is_proven
from services.ingest.domain.mail.automatic import Ours, not_from_a_person
from services.ingest.domain.mail.headers import ERRORS
from services.ingest.domain.mail.message import read
from services.ingest.domain.mail.submit import CHANNEL, Address, submit
from services.ingest.domain.submission import Submission
from services.ingest.settings import IngestSettings, MailSettings
from shared.domain.quarantine import QuarantineReason
from shared.errors import ConfigurationError, DependencyDown, InvalidInput, Reason
from shared.events.feedback import Hints

_KEPT = "250 2.0.0 kept"
_LATER = "451 4.3.0 it cannot be kept safely just now, please come again"
_STOP_WITHIN_S = 3.0
#: Reading is work for the processor, of which Python uses one at a time, and copies the message a few times.
_READ_AT_ONCE = 2
_log = structlog.get_logger()


class MailChannel:
    """The door for people who write a mail."""

    name = CHANNEL
    router: APIRouter | None = None
    body_limits: Mapping[str, int] = {}

    def __init__(self, context: ChannelContext) -> None:
        self._context = context
        self._settings = context.settings.ingest.mail
        self._mailboxes = _mailboxes(self._settings)
        self._ours = Ours(
            addresses=frozenset(self._mailboxes) | {str(own).lower() for own in self._settings.own_addresses},
            message_id_domains=frozenset(domain.lower() for domain in self._settings.own_message_id_domains),
            hear_mailing_lists=self._settings.hear_mailing_lists,
        )
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.BaseTransport] = set()
        self._in_hand: set[asyncio.Task[str]] = set()
        self._reading = asyncio.Semaphore(_READ_AT_ONCE)

    @classmethod
    def is_open(cls, settings: IngestSettings) -> bool:
        mail = settings.ingest.mail
        if mail.port is None:
            return False
        if not mail.mailboxes:
            msg = (
                "LISTENINGPOST_INGEST__MAIL__MAILBOXES is empty: there is no address mail could be taken for"
            )
            raise ConfigurationError(msg)
        if mail.authserv_id and not mail.trusted_relays:
            msg = (
                "LISTENINGPOST_INGEST__MAIL__TRUSTED_RELAYS is empty: anybody could claim to be "
                "LISTENINGPOST_INGEST__MAIL__AUTHSERV_ID"
            )
            raise ConfigurationError(msg)
        return True

    @property
    def port(self) -> int:
        """Where it listens; of use when the setting is 0."""
        return int(self._server.sockets[0].getsockname()[1]) if self._server is not None else 0

    @property
    def connections(self) -> int:
        """How many senders are connected."""
        return len(self._connections)

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        host, port = self._settings.host, self._settings.port
        try:
            self._server = await loop.create_server(lambda: self._connection(loop), host, port)
        except OSError as error:
            msg = f"cannot listen on {host}:{port} (LISTENINGPOST_INGEST__MAIL__PORT): {error.strerror}"
            raise ConfigurationError(msg) from None

    async def stop(self) -> None:
        """No new connection; the mails whose last line has come are kept and answered."""
        if self._server is not None:
            self._server.close()
        if self._in_hand:
            await asyncio.wait(self._in_hand, timeout=_STOP_WITHIN_S)
        for transport in list(self._connections):
            transport.close()
        self._server = None

    def problem(self) -> str | None:
        return None if self._server is not None and self._server.is_serving() else "not listening"

    def _connection(self, loop: asyncio.AbstractEventLoop) -> Connection:
        return Connection(
            self,
            connections=self._connections,
            max_connections=self._settings.max_connections,
            data_size_limit=self._settings.max_message_bytes,
            enable_SMTPUTF8=True,
            hostname=self._settings.hostname,
            ident="Listening Post",
            timeout=self._settings.timeout_s,
            loop=loop,
        )

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _: SMTP, __: Session, envelope: Envelope, address: str, rcpt_options: list[str]
    ) -> str:
        if address.lower() not in self._mailboxes:
            return "550 5.1.1 there is no such mailbox here"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(rcpt_options)
        return "250 2.1.5 OK"

    async def handle_DATA(self, _: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - as above
        # A sender that hangs up cancels its session, but the mail has come and is taken to its end.
        taking = asyncio.create_task(self._take(session, envelope))
        self._in_hand.add(taking)
        taking.add_done_callback(self._in_hand.discard)
        return await asyncio.shield(taking)

    async def handle_exception(self, error: Exception) -> str:
        _log.error("smtp_session_failed", error=type(error).__name__)
        return _LATER

    async def _take(self, session: Session, envelope: Envelope) -> str:
        raw = envelope.content if isinstance(envelope.content, bytes) else b""
        try:
            async with self._reading:
                read_as = await asyncio.to_thread(self._understand, raw, session, envelope)
            if not isinstance(read_as, Submission):
                await self._put_aside(raw, *read_as)
                return _KEPT
            [receipt] = await self._context.pipeline.accept([read_as])
            if receipt.problem is not None:
                empty = receipt.problem.reason is Reason.EMPTY
                reason = QuarantineReason.EMPTY if empty else QuarantineReason.REFUSED
                await self._put_aside(raw, reason, receipt.problem.detail)
        except DependencyDown as error:
            _log.warning("mail_refused_for_now", dependency=error.dependency)
            return _LATER
        return _KEPT

    def _understand(
        self, raw: bytes, session: Session, envelope: Envelope
    ) -> Submission | tuple[QuarantineReason, str]:
        """The mail as a submission, or why it is none. Takes up to a second, so it runs in a thread."""
        # aiosmtpd has "<>" for an empty one.
        return_path = (envelope.mail_from or "").strip("<>")
        try:
            mail = read(raw, max_parts=self._settings.max_parts)
            automatic = not_from_a_person(mail, return_path, self._ours)
            if automatic is not None:
                return automatic
            peer = session.peer[0] if session.peer else ""
            settings = self._settings
            return submit(
                mail,
                mailboxes=self._mailboxes,
                recipients=envelope.rcpt_tos,
                return_path=return_path,
                source=settings.source,
                proven=is_proven(mail, peer, settings.authserv_id, settings.trusted_relays),
            )
        except InvalidInput as error:
            return QuarantineReason.UNPARSABLE, error.detail
        except ERRORS as error:
            return QuarantineReason.UNPARSABLE, f"the mail cannot be read: {type(error).__name__}"

    async def _put_aside(self, raw: bytes, reason: QuarantineReason, detail: str) -> None:
        source = self._settings.source
        await self._context.pipeline.quarantine(raw, CHANNEL, reason, detail, source=source)


def _mailboxes(settings: MailSettings) -> dict[str, Address]:
    return {
        str(mailbox.address).lower(): Address(
            hints=Hints(product=mailbox.product, touchpoint=mailbox.touchpoint, brief=mailbox.brief),
            confidential=mailbox.confidential,
        )
        for mailbox in settings.mailboxes
    }
