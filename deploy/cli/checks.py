"""What `listeningpost doctor` looks at. Each check returns findings; none raises or changes anything."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import httpx

from deploy.cli import connect
from deploy.cli.letters import Choice, chosen
from deploy.cli.settings import CliSettings, environment, origins
from services.notifier.settings import EmailSettings, NotifierSettings, SlackSettings
from shared import clock
from shared.bus.admin import describe
from shared.errors import ConfigurationError, DependencyDown
from shared.settings import load
from shared.store.connection import Store
from shared.store.directory import DirectoryStore, Version
from shared.store.migrations import missing

_OLDEST_MONGODB = (6, 0)
#: Leases and retry windows are safe below it; it is also what tokens and signatures tolerate on the way in.
_MOST_SKEW_S = 2.0
_WITHIN_S = 5.0


class State(StrEnum):
    OK = "ok"
    NOTE = "note"
    WARNING = "warning"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """`remedy` says what to do about what is wrong."""

    about: str
    state: State
    detail: str
    remedy: str = ""


Check = Callable[[CliSettings], Awaitable[list[Finding]]]


async def kafka(where: CliSettings) -> list[Finding]:
    servers = where.kafka.bootstrap_servers
    try:
        topics = await describe(where.kafka)
    except DependencyDown as error:
        remedy = f"is it running at {servers}? LISTENINGPOST_KAFKA__BOOTSTRAP_SERVERS says where to look"
        return [Finding("Kafka", State.WRONG, str(error), remedy)]
    found = [Finding("Kafka", State.OK, f"answers at {servers}")]
    absent = [topic.name for topic in topics if not topic.partitions]
    small = [topic.name for topic in topics if 0 < topic.partitions < topic.declared_partitions]
    if absent:
        found.append(Finding("topics", State.WRONG, f"missing: {', '.join(absent)}", "listeningpost topics"))
    if small:
        detail = f"fewer partitions than declared: {', '.join(small)}"
        found.append(
            Finding("topics", State.WRONG, detail, "`listeningpost topics` shows how many they need")
        )
    if not absent and not small:
        found.append(Finding("topics", State.OK, f"all {len(topics)} are there"))
        found.append(await _dead_letters(where))
    return found


async def _dead_letters(where: CliSettings) -> Finding:
    """They are no fault of the installation, so nothing fails; but somebody's words lie there unread."""
    try:
        waiting = await chosen(where.kafka, Choice())
    except DependencyDown as error:
        return Finding("dead letters", State.WRONG, str(error), "look again once Kafka answers")
    if not waiting:
        return Finding("dead letters", State.OK, "none waiting")
    reasons = Counter(letter.reason for letter in waiting)
    detail = ", ".join(f"{count} {reason}" for reason, count in reasons.most_common())
    remedy = "`listeningpost dead-letters` shows them; mend the cause, then `listeningpost replay`"
    return Finding("dead letters", State.WARNING, f"{len(waiting)} waiting: {detail}", remedy)


async def mongodb(where: CliSettings) -> list[Finding]:
    try:
        async with connect.store(where) as store:
            return [finding async for finding in _database(store, where)]
    except DependencyDown as error:
        remedy = "is it running, as a replica set? LISTENINGPOST_MONGO__URI says where to look"
        return [Finding("MongoDB", State.WRONG, str(error), remedy)]


async def _database(store: Store, where: CliSettings) -> AsyncIterator[Finding]:
    server = await store.describe()
    version = str(server["version"])
    new_enough = tuple(int(part) for part in version.split(".")[:2]) >= _OLDEST_MONGODB
    yield Finding(
        "MongoDB",
        State.OK if new_enough else State.WRONG,
        f"version {version}",
        "" if new_enough else "use 6.0 or newer",
    )
    if server["replica_set"]:
        yield Finding("replica set", State.OK, str(server["replica_set"]))
    else:
        yield Finding("replica set", State.WRONG, "none", "start mongod with --replSet, then rs.initiate()")
    yield _clock(server["local_time"])
    absent = await missing(store)
    if absent:
        yield Finding(
            "indexes", State.WRONG, f"missing: {', '.join(absent)}", "start any service: it makes them"
        )
    else:
        yield Finding("indexes", State.OK, "all there")
    current = await DirectoryStore(store).current()
    if current is None:
        yield Finding("directory", State.WRONG, "no workspace is applied", "listeningpost apply company.yaml")
    else:
        yield Finding(
            "directory", State.OK, f"version {current.number} by {current.author}: {current.workspace.name}"
        )
        yield _secrets(current, where)


def _clock(theirs: datetime) -> Finding:
    skew_s = abs((clock.now() - theirs).total_seconds())
    if skew_s > _MOST_SKEW_S:
        detail = f"this machine and the database differ by {skew_s:.1f} s"
        return Finding("clock", State.WRONG, detail, "run an NTP client on both")
    return Finding("clock", State.OK, f"within {skew_s:.1f} s of the database")


def _secrets(version: Version, where: CliSettings) -> Finding:
    absent = []
    references = sorted({receiver.secret for receiver in version.workspace.receivers if receiver.secret})
    for reference in references:
        try:
            where.secret(reference)
        except ConfigurationError as error:
            absent.append(str(error))
    if absent:
        return Finding(
            "secrets", State.WRONG, "; ".join(absent), "as said; the notifier needs it in its environment"
        )
    return Finding("secrets", State.OK, f"{len(references)} referenced, none missing here")


async def services(where: CliSettings) -> list[Finding]:
    urls = {
        "ingest": where.cli.ingest_url,
        "classifier": where.cli.classifier_url,
        "notifier": where.cli.notifier_url,
    }
    async with httpx.AsyncClient(timeout=_WITHIN_S) as client:
        return [await _service(client, name, str(url) if url else None) for name, url in urls.items()]


async def _service(client: httpx.AsyncClient, name: str, url: str | None) -> Finding:
    if url is None:
        return Finding(name, State.NOTE, f"not asked: LISTENINGPOST_CLI__{name.upper()}_URL is not set")
    address = f"{url.rstrip('/')}/readyz"
    try:
        answer = await client.get(address)
        report = answer.json()
    except (httpx.TransportError, ValueError) as error:
        detail = f"{address} does not answer ({type(error).__name__})"
        return Finding(name, State.WRONG, detail, f"start it, or set LISTENINGPOST_CLI__{name.upper()}_URL")
    if answer.status_code == httpx.codes.OK:
        return Finding(name, State.OK, f"ready at {url}")
    problems = "; ".join(f"{part}: {text}" for part, text in dict(report.get("problems", {})).items())
    return Finding(
        name, State.WRONG, f"not ready: {problems}", "mend what it names; it goes on by itself then"
    )


async def reach(_: CliSettings) -> list[Finding]:
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
        connection: smtplib.SMTP = smtplib.SMTP_SSL(host, email.port, timeout=_WITHIN_S, context=context)
    else:
        connection = smtplib.SMTP(host, email.port, timeout=_WITHIN_S)
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
        async with httpx.AsyncClient(timeout=_WITHIN_S) as client:
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


async def addresses(where: CliSettings) -> list[Finding]:
    """Where it looks, and why there: half a set of variables means the defaults for the other half."""
    uri = where.mongo.uri.get_secret_value()
    used = {
        "LISTENINGPOST_KAFKA__BOOTSTRAP_SERVERS": where.kafka.bootstrap_servers,
        # Without what may stand before the @: a name and a password.
        "LISTENINGPOST_MONGO__URI": uri.partition("://")[2].rpartition("@")[2],
        "LISTENINGPOST_CLI__INGEST_URL": str(where.cli.ingest_url),
    }
    origin = origins()
    said = [
        f"{address} ({origin.get(name, f'default; {name} is not set')})" for name, address in used.items()
    ]
    return [Finding("looking at", State.NOTE, " · ".join(said))]


#: In the order in which one thing needs the other.
CHECKS: tuple[Check, ...] = (addresses, kafka, mongodb, services, reach)
