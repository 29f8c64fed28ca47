"""Whether people could be reached: mail and Slack, as the notifier would with these settings."""

from __future__ import annotations

import asyncio
import smtplib
import ssl

import httpx

from deploy.cli.checks.finding import WITHIN_S, Finding, State
from deploy.cli.settings import CliSettings, environment
from services.notifier.settings import EmailSettings, NotifierSettings, SlackSettings
from shared.errors import ConfigurationError
from shared.settings import load


async def check(_: CliSettings) -> list[Finding]:
    """Whether mail and Slack could be sent, as the notifier would with these settings. Nothing is sent."""
    try:
        notifier = load(NotifierSettings, environment()).notifier
    except ConfigurationError as error:
        return [Finding("notifier settings", State.WRONG, str(error), "mend the variable")]
    return [await _mail(notifier.email), await _slack(notifier.slack)]


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
