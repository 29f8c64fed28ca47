"""A mail server that keeps what it takes, and refuses, hangs up or falls silent where a test wants it."""

from __future__ import annotations

import asyncio
import warnings
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Self, cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


@dataclass(frozen=True, slots=True)
class Mail:
    sender: str
    recipient: str
    raw: bytes

    @property
    def message(self) -> EmailMessage:
        return message_from_bytes(self.raw, policy=policy.default)

    def part(self, kind: str) -> str:
        """The text of the alternative `plain` or `html`."""
        body = self.message.get_body((kind,))
        assert body is not None
        return str(body.get_content())


class SmtpServer:
    """`async with SmtpServer() as server: server.mails`. aiosmtpd speaks, this decides.

    `at_rcpt` and `at_data` are what is answered there instead of 250; "hang up" cuts the connection,
    "silence" answers nothing. Where `passwords` are set, who shows none of them gets no further than AUTH.
    """

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.at_rcpt: str | None = None
        self.at_data: str | None = None
        self.passwords: set[str] | None = None
        self.connections = 0
        self.refused = 0
        self.port = 0
        self._server: asyncio.Server | None = None
        self._open: set[_Listening] = set()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._listening, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            self.hang_up()
            await self._server.wait_closed()
            self._server = None

    def hang_up(self) -> None:
        """Cut every connection, as a server does that restarts."""
        for listening in tuple(self._open):
            listening.cut()

    def _listening(self) -> SMTP:
        self.connections += 1
        return _Listening(self, self._open)

    def authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, login: object
    ) -> AuthResult:
        shown = login.password.decode() if isinstance(login, LoginPassword) else None
        return AuthResult(success=shown in (self.passwords or ()), handled=False)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        answer = await self._answer(server, self.at_rcpt)
        if answer is None:
            envelope.rcpt_tos.append(address)
        return answer or "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        answer = await self._answer(server, self.at_data)
        if answer is None:
            content = envelope.content
            assert isinstance(content, bytes)
            self.mails.append(Mail(envelope.mail_from or "", envelope.rcpt_tos[0], content))
        return answer or "250 OK, taken"

    async def _answer(self, server: SMTP, wish: str | None) -> str | None:
        self.refused += wish is not None
        if wish == "hang up":
            assert isinstance(server, _Listening)
            server.cut()
        elif wish == "silence":
            await asyncio.Event().wait()
        return wish


class _Listening(SMTP):
    line_length_limit = 100_000

    def __init__(self, handler: SmtpServer, everybody: set[_Listening]) -> None:
        with warnings.catch_warnings():
            # That it asks for a password and not for TLS is what it warns of; it is on this machine.
            warnings.simplefilter("ignore")
            super().__init__(
                handler,
                enable_SMTPUTF8=True,
                hostname="test",
                loop=asyncio.get_running_loop(),
                authenticator=handler.authenticate,
                auth_required=handler.passwords is not None,
                auth_require_tls=False,
            )
        self._everybody = everybody
        self._carrier: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._carrier = cast("asyncio.Transport", transport)
        self._everybody.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._everybody.discard(self)
        super().connection_lost(error)

    def cut(self) -> None:
        if self._carrier is not None:
            self._carrier.abort()
