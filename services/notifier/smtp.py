"""A few SMTP connections that stay open, and what each answer of a server means for the mail in hand."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import aiosmtplib
import structlog
from aiosmtplib.errors import (
    SMTPAuthenticationError,
    SMTPConnectError,
    SMTPException,
    SMTPResponseException,
    SMTPServerDisconnected,
)

from services.notifier.settings import EmailSettings
from shared.errors import PermanentError, Reason, TransientError, UnknownOutcome
from shared.section import in_turn

_REFUSED = 400
_PERMANENT = 500
_CLOSING = 421
_CLOSE_WITHIN_S = 2.0
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Envelope:
    """`sender` may be empty: then nobody is told when the mail bounces."""

    sender: str
    recipient: str
    content: bytes


class SmtpPool:
    """At most `connections` at a time; whoever comes later waits. Idle ones are taken newest first."""

    def __init__(self, settings: EmailSettings) -> None:
        self._settings = settings
        self._free: asyncio.LifoQueue[aiosmtplib.SMTP | None] = asyncio.LifoQueue()
        #: With which password.
        self._logged_in: WeakKeyDictionary[aiosmtplib.SMTP, str | None] = WeakKeyDictionary()
        for _ in range(settings.connections):
            self._free.put_nowait(None)

    async def send(self, envelope: Envelope) -> None:
        """The server has answered 250 to the whole mail.

        Raises TransientError (it did not take it, or was not reached), PermanentError (it never will),
        UnknownOutcome (the connection was lost or silent after the mail was handed over).
        """
        idle = await self._free.get()
        usable: aiosmtplib.SMTP | None = None
        try:
            connection = await self._open(idle, envelope)
            try:
                await _hand_over(connection, envelope)
            except BaseException as error:
                usable = await _recovered(connection, error)
                raise
            usable = connection
        except SMTPResponseException as error:
            raise _refusal(error) from None
        except (SMTPException, OSError, ValueError) as error:
            raise _not_sent(error) from None
        finally:
            self._free.put_nowait(usable)

    async def close(self) -> None:
        """Say goodbye on every idle connection."""
        idle = [self._free.get_nowait() for _ in range(self._free.qsize())]
        for connection in idle:
            if connection is not None:
                await _goodbye(connection)
            self._free.put_nowait(None)

    async def _open(self, idle: aiosmtplib.SMTP | None, envelope: Envelope) -> aiosmtplib.SMTP:
        """A connection on which the sender has been accepted: the idle one, if the server still knows it."""
        if idle is not None and self._is_outdated(idle):
            await _goodbye(idle)
            idle = None
        if idle is not None and idle.is_connected:
            try:
                await _introduce(idle, envelope)
            except SMTPServerDisconnected:
                idle.close()
            except SMTPResponseException as error:
                idle.close()
                if error.code != _CLOSING:
                    raise
            except BaseException:
                idle.close()
                raise
            else:
                return idle
        fresh = await self._connect()
        try:
            await _introduce(fresh, envelope)
        except BaseException:
            fresh.close()
            raise
        return fresh

    async def _connect(self) -> aiosmtplib.SMTP:
        """Logged in with the newest password that the server takes, of those the settings have by now."""
        passwords = [each.get_secret_value() for each in in_turn(self._settings.by_now("password"))]
        for password in passwords[:-1]:
            try:
                return await self._log_in(password)
            except SMTPAuthenticationError:
                _log.info("smtp_password_refused", others_left=True)
        return await self._log_in(passwords[-1] if passwords else None)

    async def _log_in(self, password: str | None) -> aiosmtplib.SMTP:
        fresh = self._client(password)
        try:
            await fresh.connect()
        except BaseException:
            fresh.close()
            raise
        self._logged_in[fresh] = password
        return fresh

    def _is_outdated(self, connection: aiosmtplib.SMTP) -> bool:
        """Whether its password was taken out: what was let in with it should not go on for ever."""
        password = self._logged_in.get(connection)
        return password is not None and password not in {
            each.get_secret_value() for each in self._settings.by_now("password")
        }

    def _client(self, password: str | None) -> aiosmtplib.SMTP:
        settings = self._settings
        return aiosmtplib.SMTP(
            hostname=settings.host,
            port=settings.port,
            username=settings.username,
            password=password,
            timeout=settings.timeout_s,
            use_tls=settings.security == "tls",
            start_tls=settings.security == "starttls",
        )


async def _goodbye(connection: aiosmtplib.SMTP) -> None:
    if connection.is_connected:
        with contextlib.suppress(SMTPException, OSError):
            await connection.quit(timeout=_CLOSE_WITHIN_S)


async def _introduce(connection: aiosmtplib.SMTP, envelope: Envelope) -> None:
    if envelope.recipient.isascii() and envelope.sender.isascii():
        await connection.mail(envelope.sender)
        return
    if connection.is_ehlo_or_helo_needed:
        await connection.ehlo()
    if not connection.supports_extension("smtputf8"):
        raise PermanentError(Reason.REJECTED, "the mail server takes no addresses beyond ASCII")
    await connection.mail(envelope.sender, options=["SMTPUTF8"], encoding="utf-8")


async def _hand_over(connection: aiosmtplib.SMTP, envelope: Envelope) -> None:
    await connection.rcpt(envelope.recipient, encoding="ascii" if envelope.recipient.isascii() else "utf-8")
    try:
        await connection.data(envelope.content)
    except SMTPResponseException as error:
        if error.code < _REFUSED:
            # Neither "taken" nor "refused": a garbled answer.
            raise UnknownOutcome("the answer to the mail made no sense") from None
        raise
    except (SMTPException, OSError) as error:
        raise UnknownOutcome(f"no answer to the mail ({type(error).__name__})") from None


async def _recovered(connection: aiosmtplib.SMTP, error: BaseException) -> aiosmtplib.SMTP | None:
    """The connection, ready for the next mail; None when the server or the conversation is lost."""
    if isinstance(error, SMTPResponseException) and error.code != _CLOSING and connection.is_connected:
        with contextlib.suppress(SMTPException, OSError):
            await connection.rset()
            return connection
    connection.close()
    return None


def _refusal(error: SMTPResponseException) -> TransientError | PermanentError:
    """The code alone: what a server adds in words may hold addresses."""
    said = f"the mail server answered {error.code}"
    if isinstance(error, SMTPAuthenticationError) and error.code >= _PERMANENT:
        return PermanentError(Reason.CONFIGURATION, said)
    if error.code >= _PERMANENT:
        return PermanentError(Reason.REJECTED, said)
    # Only 421 speaks of the server; any other 4yz is about this mail or its recipient.
    return TransientError(Reason.UNREACHABLE if error.code == _CLOSING else Reason.REJECTED, said)


def _not_sent(error: Exception) -> TransientError | PermanentError:
    """Before the mail was handed over, so it was not taken."""
    if isinstance(error, SMTPConnectError | SMTPServerDisconnected | OSError):
        return TransientError(Reason.UNREACHABLE, f"the mail server is not reached ({type(error).__name__})")
    return PermanentError(Reason.CONFIGURATION, f"the mail cannot be sent like this ({type(error).__name__})")
