"""Whether mail, Slack and webhooks could be reached, as the notifier would with these settings.

Nothing is sent: a connection is made, and where there is a login, it is tried.
"""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from collections.abc import Sequence

import httpcore
import httpx
from pydantic import HttpUrl

from deploy.cli import connect
from deploy.cli.checks.finding import WITHIN_S, Finding, State
from deploy.cli.settings import CliSettings, environment
from services.notifier.settings import EmailSettings, NotifierSettings, SlackSettings, WebhookSettings
from shared.domain.route import ReceiverKind
from shared.errors import ConfigurationError, DependencyDown, PermanentError, TransientError
from shared.net.addresses import Network
from shared.net.guarded import GuardedBackend
from shared.settings import load
from shared.store.directory import DirectoryStore


async def check(where: CliSettings) -> list[Finding]:
    try:
        notifier = load(NotifierSettings, environment()).notifier
    except ConfigurationError as error:
        return [Finding("notifier settings", State.WRONG, str(error), "mend the variable")]
    fixed = await asyncio.gather(_mail(notifier.email), _slack(notifier.slack))
    return [*fixed, *await _webhooks(where, notifier.webhook)]


async def _mail(email: EmailSettings) -> Finding:
    if email.host is None:
        return Finding(
            "mail", State.NOTE, "nobody is reached by mail: LISTENINGPOST_NOTIFIER__EMAIL__HOST is not set"
        )
    where = f"{email.host}:{email.port}"
    try:
        await asyncio.to_thread(_greet, email)
    except (OSError, smtplib.SMTPException) as error:
        detail = f"{where} cannot be used ({type(error).__name__})"
        return Finding("mail", State.WRONG, detail, "check LISTENINGPOST_NOTIFIER__EMAIL__… and the firewall")
    return Finding("mail", State.OK, f"{where} takes our mail")


def _greet(email: EmailSettings) -> None:
    """Connect, encrypt and log in as configured, and leave again. Raises OSError, SMTPException."""
    host, context = email.host or "", ssl.create_default_context()
    if email.security == "tls":
        connection: smtplib.SMTP = smtplib.SMTP_SSL(host, email.port, timeout=WITHIN_S, context=context)
    else:
        connection = smtplib.SMTP(host, email.port, timeout=WITHIN_S)
    with connection:
        if email.security == "starttls":
            connection.starttls(context=context)
        if email.username and email.password:
            connection.login(email.username, email.password.get_secret_value())
        connection.noop()


async def _slack(slack: SlackSettings) -> Finding:
    if slack.bot_token is None:
        return Finding(
            "Slack",
            State.NOTE,
            "nobody is reached by Slack: LISTENINGPOST_NOTIFIER__SLACK__BOT_TOKEN is not set",
        )
    headers = {"Authorization": f"Bearer {slack.bot_token.get_secret_value()}"}
    try:
        async with httpx.AsyncClient(timeout=WITHIN_S) as client:
            answer = (await client.post(f"{slack.api_url}auth.test", headers=headers)).json()
    except (httpx.TransportError, ValueError) as error:
        return Finding(
            "Slack", State.WRONG, f"does not answer ({type(error).__name__})", "check the way out to it"
        )
    if answer.get("ok"):
        return Finding(
            "Slack", State.OK, f"we are {answer.get('user', 'known')} in {answer.get('team', 'it')}"
        )
    return Finding(
        "Slack", State.WRONG, f"says {answer.get('error')}", "put a valid bot token into the setting"
    )


async def _webhooks(where: CliSettings, webhook: WebhookSettings) -> list[Finding]:
    """Every webhook of the directory, through the guard that is in the way when it is called."""
    try:
        async with connect.store(where) as store:
            current = await DirectoryStore(store).in_force()
    except DependencyDown:
        # That MongoDB does not answer is said by its own check.
        return []
    receivers = current.workspace.receivers if current is not None else ()
    hooks = [(one.id, one.url) for one in receivers if one.kind is ReceiverKind.WEBHOOK and one.url]
    return list(await asyncio.gather(*(_webhook(name, url, webhook.allowed_networks) for name, url in hooks)))


async def _webhook(name: str, url: HttpUrl, allowed: Sequence[Network]) -> Finding:
    about, host = f"webhook {name}", url.host or ""
    try:
        async with asyncio.timeout(WITHIN_S):
            stream = await GuardedBackend(allowed).connect_tcp(host, url.port or 443, WITHIN_S)
            try:
                if url.scheme == "https":
                    stream = await stream.start_tls(ssl.create_default_context(), host, WITHIN_S)
            finally:
                await stream.aclose()
    except PermanentError:
        remedy = (
            "LISTENINGPOST_NOTIFIER__WEBHOOK__ALLOWED_NETWORKS names networks that may be called all the same"
        )
        return Finding(about, State.WRONG, f"{host} has no address that is public or allowed", remedy)
    except (TransientError, httpcore.NetworkError, httpcore.TimeoutException, OSError, TimeoutError) as error:
        detail = f"{host}:{url.port} cannot be reached ({type(error).__name__})"
        return Finding(
            about, State.WRONG, detail, "mend its `url` in the workspace, then `listeningpost apply`"
        )
    return Finding(about, State.OK, f"{host}:{url.port} answers")
