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
from opentelemetry.trace import SpanKind

from services.ingest.channels.mail_intake import Letter, MailIntake
from services.ingest.channels.mail_server import Connection
from services.ingest.context import ChannelContext
from services.ingest.domain.mail.authenticity import is_proven
from services.ingest.domain.mail.submit import CHANNEL
from services.ingest.settings import IngestSettings
from shared.errors import ConfigurationError, DependencyDown
from shared.telemetry import tracing

_KEPT = "250 2.0.0 kept"
_LATER = "451 4.3.0 it cannot be kept safely just now, please come again"
_STOP_WITHIN_S = 3.0
_log = structlog.get_logger()


class MailChannel:
    """The door for people who write a mail."""

    name = CHANNEL
    router: APIRouter | None = None
    body_limits: Mapping[str, int] = {}

    def __init__(self, context: ChannelContext) -> None:
        self._settings = context.settings.ingest.mail
        self._intake = MailIntake(context)
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.BaseTransport] = set()
        self._in_hand: set[asyncio.Task[str]] = set()

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
        if address.lower() not in self._intake.mailboxes:
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
        with tracing.spans("mail", SpanKind.SERVER, [None]) as (trace,):
            return await self._keep(session, envelope, trace)

    async def _keep(self, session: Session, envelope: Envelope, trace: str | None) -> str:
        peer, settings = session.peer[0] if session.peer else "", self._settings
        letter = Letter(
            raw=envelope.content if isinstance(envelope.content, bytes) else b"",
            recipients=lambda _: envelope.rcpt_tos,
            # aiosmtpd has "<>" for an empty one.
            return_path=(envelope.mail_from or "").strip("<>"),
            is_proven=lambda mail: is_proven(mail, peer, settings.authserv_id, settings.trusted_relays),
            also={"trace": trace} if trace is not None else {},
        )
        try:
            await self._intake.take([letter])
        except DependencyDown as error:
            _log.warning("mail_refused_for_now", dependency=error.dependency)
            return _LATER
        return _KEPT
