"""The demo from beginning to end: start, send, wait, look, say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx
from prometheus_client.parser import text_string_to_metric_families
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from deploy.cli import connect
from deploy.demo import report
from deploy.demo.doors.mail import MailDoor
from deploy.demo.doors.rest import RestDoor
from deploy.demo.doors.slack import SlackDoor
from deploy.demo.house import House
from deploy.demo.pieces import Door, load_pieces
from deploy.demo.verdict import Evidence, Seen, failures
from deploy.demo.watch import Sent, Watch
from deploy.embedded.ports import LOOPBACK
from shared.domain.directory import Directory
from shared.events.topics import CLASSIFIED
from shared.store.buckets import BucketStore
from shared.store.connection import Store
from shared.store.deliveries import DeliveryStore
from shared.store.quarantine import QuarantineStore

_ASK_EVERY_S = 0.25
_ORIGINAL_WITHIN_S = 20.0
_ALL_WITHIN_S = 60.0


async def play(opened: House, console: Console, *, speed: float) -> list[str]:
    """Send everything, wait until it is over, show what came of it. Returns what failed, a sentence each."""
    async with connect.store(opened.settings) as store, httpx.AsyncClient() as client:

        async def handled() -> int:
            return await _handled(client, opened.stack.url("notifier"))

        watch = Watch(DeliveryStore(store), handled, BucketStore(store))
        async with watch.reading(opened.settings.kafka):
            await _send_all(opened, watch, console, speed)
            left = await _wait(watch, watch.sent, _ALL_WITHIN_S, console)
            evidence = await _evidence(opened, watch, store)
    console.print()
    console.print(report.pieces_table(evidence, Directory(opened.workspace, 1), console.width))
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
        Door.REST: RestDoor(url, opened.secrets.key or "", opened.secrets.import_key or ""),
        Door.SLACK: SlackDoor(url, opened.secrets.slack_signing, opened.sinks.slack, opened.sinks.slack_url),
        Door.MAIL: MailDoor(LOOPBACK, opened.doors.mail.port or 0),
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
    put_aside = await QuarantineStore(store).search()
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
        summaries=tuple(await watch.summaries()),
        documents=len(watch.events),
        quarantined=tuple(f"{entry.reason} ({entry.detail})" for entry in put_aside),
        webhooks_refused=opened.sinks.crm.refused,
        files_fetched=opened.sinks.slack.downloads,
    )
