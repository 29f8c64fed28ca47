"""The demo from beginning to end: start, send, wait, look, say."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

from deploy.cli import connect
from deploy.cli.apply import example
from deploy.cli.prepare import Tokens, prepare, settings_of
from deploy.demo import house, report
from deploy.demo.doors.mail import MailDoor
from deploy.demo.doors.rest import RestDoor
from deploy.demo.doors.slack import SlackDoor
from deploy.demo.pieces import Door, load_pieces
from deploy.demo.sinks.mail import MailSink
from deploy.demo.sinks.serving import serving
from deploy.demo.sinks.slack import SlackWorkspace
from deploy.demo.sinks.webhook import WebhookSink
from deploy.demo.verdict import Arrival, Evidence, Seen, failures
from deploy.demo.watch import Sent, Watch
from deploy.embedded.ports import LOOPBACK, lease_port
from deploy.embedded.stack import EmbeddedStack
from shared.domain.declaration import read_workspace
from shared.domain.directory import Directory
from shared.domain.workspace import Workspace
from shared.events.topics import CLASSIFIED
from shared.settings import CommonSettings
from shared.store.connection import Store
from shared.store.deliveries import DeliveryStore
from shared.store.quarantine import QuarantineStore

_ASK_EVERY_S = 0.25
_ORIGINAL_WITHIN_S = 20.0
_ALL_WITHIN_S = 60.0


@dataclass
class Sinks:
    """The other ends."""

    mail: MailSink
    slack: SlackWorkspace
    slack_url: str
    crm: WebhookSink
    crm_url: str

    def arrivals(self) -> tuple[Arrival, ...]:
        """Everything that arrived anywhere."""
        mails = [Arrival("mail", m.message_id, m.at, m.words, m.in_reply_to) for m in self.mail.mails]
        posts = [Arrival("slack", p.ts, p.at, p.shown, p.thread or "") for p in self.slack.posts]
        calls = [Arrival("webhook", call.id, call.at, str(call.body)) for call in self.crm.calls]
        return (*mails, *posts, *calls)


@dataclass
class House:
    """All that runs. `log` holds every line the services wrote."""

    stack: EmbeddedStack
    settings: CommonSettings
    workspace: Workspace
    tokens: Tokens
    sinks: Sinks
    secrets: house.Secrets
    mail_port: int
    log: Path

    def environment(self) -> Mapping[str, str]:
        """With these, `listeningpost` works on this stack from another terminal."""
        return {
            "LISTENINGPOST_KAFKA__BOOTSTRAP_SERVERS": self.stack.kafka_bootstrap,
            "LISTENINGPOST_KAFKA__IDEMPOTENCE": "false",
            "LISTENINGPOST_MONGO__URI": self.stack.mongo_uri,
            "LISTENINGPOST_CLI__KEY": self.tokens.write,
            "LISTENINGPOST_SECRETS__CRM_WEBHOOK": self.secrets.crm_webhook,
            "LISTENINGPOST_NOTIFIER__EMAIL__HOST": LOOPBACK,
            "LISTENINGPOST_NOTIFIER__EMAIL__PORT": str(self.sinks.mail.port),
            "LISTENINGPOST_NOTIFIER__SLACK__BOT_TOKEN": self.secrets.slack_token,
            "LISTENINGPOST_NOTIFIER__SLACK__API_URL": f"{self.sinks.slack_url}/api/",
        } | {f"LISTENINGPOST_CLI__{name.upper()}_URL": self.stack.url(name) for name in house.SERVICES}


@asynccontextmanager
async def open_house(console: Console) -> AsyncIterator[House]:
    """Everything started and ready; everything stopped at the end. Raises EmbeddedError, ChildDied."""
    keys = house.make_secrets()
    async with AsyncExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="listeningpost-demo-")))
        slack, crm = SlackWorkspace(keys.slack_token), WebhookSink(keys.crm_webhook)
        sinks = Sinks(
            mail=await opened.enter_async_context(MailSink().listening()),
            slack=slack,
            slack_url=await opened.enter_async_context(serving(slack.app())),
            crm=crm,
            crm_url=await opened.enter_async_context(serving(crm.app())),
        )
        workspace = house.with_crm_at(read_workspace(example()), sinks.crm_url)
        mail_port = lease_port()
        opened.callback(mail_port.release)
        log = opened.enter_context((folder / "log").open("w", encoding="utf-8"))
        tokens: list[Tokens] = []

        async def ready(stack: EmbeddedStack) -> Mapping[str, str]:
            tokens.append(await prepare(settings_of(stack), workspace, "the demo"))
            return {}

        def keep(name: str, line: str) -> None:
            log.write(f"{name} | {line}\n")
            log.flush()
            if name == "embedded":
                console.print(Text(f"  {line}", style="dim"))

        env = house.environment(
            keys,
            slack_url=sinks.slack_url,
            smtp_port=sinks.mail.port,
            mail_port=mail_port.port,
            spool=str(folder / "spool"),
        )
        stack = await opened.enter_async_context(
            EmbeddedStack(services=house.SERVICES, env=env, prepare=ready, output=keep)
        )
        settings = settings_of(stack)
        yield House(stack, settings, workspace, tokens[0], sinks, keys, mail_port.port, folder / "log")


async def play(opened: House, console: Console, *, speed: float) -> list[str]:
    """Send everything, wait until it is over, show what came of it. Returns what failed, a sentence each."""
    async with connect.store(opened.settings) as store, httpx.AsyncClient() as client:

        async def handled() -> int:
            return await _handled(client, opened.stack.url("notifier"))

        watch = Watch(DeliveryStore(store), handled)
        async with watch.reading(opened.settings.kafka):
            await _send_all(opened, watch, console, speed)
            left = await _wait(watch, watch.sent, _ALL_WITHIN_S, console)
            evidence = await _evidence(opened, watch, store)
    console.print()
    console.print(report.pieces_table(evidence, Directory(opened.workspace, 1)))
    console.print(report.summary(evidence))
    return [f"not within {_ALL_WITHIN_S:g} s: {what}" for what in left] + failures(evidence)


async def _send_all(opened: House, watch: Watch, console: Console, speed: float) -> None:
    """Whoever changes or repeats something does so after it was heard, as in life."""
    pieces = load_pieces()
    columns = (TextColumn("speaking "), BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
    async with _doors(opened) as doors:
        with Progress(*columns, console=console, transient=True) as progress:
            task = progress.add_task("", total=len(pieces))
            for piece in pieces:
                progress.update(task, description=f"[dim]{piece.door}: {piece.id}[/dim]")
                original = watch.of(piece.of) if piece.of else None
                if original is not None:
                    await _wait(watch, [original], _ORIGINAL_WITHIN_S, None)
                before = (original.piece, original.answer) if original else None
                watch.add(piece, await doors[piece.door].send(piece, before))
                progress.advance(task)
                await asyncio.sleep(1 / speed)


@asynccontextmanager
async def _doors(opened: House) -> AsyncIterator[Mapping[Door, RestDoor | SlackDoor | MailDoor]]:
    url = opened.stack.url("ingest")
    doors: dict[Door, RestDoor | SlackDoor | MailDoor] = {
        Door.REST: RestDoor(url, opened.tokens.write, opened.tokens.bring),
        Door.SLACK: SlackDoor(url, opened.secrets.slack_signing, opened.sinks.slack, opened.sinks.slack_url),
        Door.MAIL: MailDoor(LOOPBACK, opened.mail_port),
    }
    try:
        yield doors
    finally:
        for door in doors.values():
            await door.close()


async def _wait(watch: Watch, sents: list[Sent], within_s: float, console: Console | None) -> list[str]:
    """Until nothing is left to wait for; what is left when the time is over."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within_s
    with Progress(
        TextColumn("being told  {task.description}"), console=console, transient=True, disable=console is None
    ) as progress:
        task = progress.add_task("", total=None)
        while (left := await watch.waiting(sents)) and loop.time() < deadline:
            progress.update(task, description=f"[dim]waiting for {'; '.join(left)}[/dim]")
            await asyncio.sleep(_ASK_EVERY_S)
    return left


async def _handled(client: httpx.AsyncClient, url: str) -> int:
    """How many classified events the notifier has dealt with, as it says itself in its metrics."""
    text = (await client.get(f"{url}/metrics")).text
    return sum(
        int(sample.value)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "listeningpost_items_total" and sample.labels["topic"] == CLASSIFIED.name
    )


async def _evidence(opened: House, watch: Watch, store: Store) -> Evidence:
    arrivals = opened.sinks.arrivals()
    rows = await watch.rows(watch.sent)
    seen = []
    for sent in watch.sent:
        events = watch.events.get(sent.feedback_id or "", []) if sent.piece.is_new else []
        of_piece = rows.get(sent.feedback_id or "", []) if sent.piece.is_new else []
        known = {row.provider_ref.id for row in of_piece if row.provider_ref}
        # Of a deleted piece the last event is bare; what it was tagged as is in the one before.
        told = [event for event in events if event.change != "deleted"]
        seen.append(
            Seen(
                piece=sent.piece,
                answer=sent.answer,
                now=told[-1] if told else None,
                causes=tuple(event.cause for event in events),
                deliveries=tuple(of_piece),
                arrivals=tuple(arrival for arrival in arrivals if arrival.id in known),
            )
        )
    return Evidence(
        seen=tuple(seen),
        arrivals=arrivals,
        documents=len(watch.events),
        quarantined=len(await QuarantineStore(store).search()),
        webhooks_refused=opened.sinks.crm.refused,
        files_fetched=opened.sinks.slack.downloads,
    )
