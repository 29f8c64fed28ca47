"""`listeningpost tail`: pieces, as they are tagged and told."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from deploy.cli import connect, pieces
from deploy.cli.output import Json, examples, print_json, remarks, results
from deploy.cli.pieces import Told
from deploy.cli.settings import CliSettings, settings
from shared.bus.tail import follow
from shared.domain.delivery import State
from shared.events.feedback import FeedbackClassified
from shared.events.topics import CLASSIFIED
from shared.store.deliveries import DeliveryStore
from shared.store.directory import DirectoryStore

_OPEN = (State.DUE, State.SENDING)
_ASK_EVERY_S = 0.2
#: So long a line waits for its deliveries; what takes longer is shown as it stands.
_WAIT_S = 3.0
_AT_ONCE = 100


def register(app: typer.Typer) -> None:
    lines = (
        "listeningpost tail",
        "listeningpost tail --triage",
        "listeningpost tail --from-start --json | jq .tags.touchpoints[].id",
    )
    app.command("tail", epilog=examples(*lines))(tail)


def tail(
    *,
    from_start: Annotated[
        bool, typer.Option("--from-start", help="Begin with the oldest that is kept.")
    ] = False,
    triage: Annotated[bool, typer.Option("--triage", help="Only what needs triage.")] = False,
    as_json: Json = False,
) -> None:
    """Watch pieces as they are tagged and told.

    A line each: when, keep or change, touchpoints, lenses, what was said, who hears of it. What could not be
    tagged is in red: it needs triage. Ends with Ctrl-C, and with exit code 3 when Kafka goes away.
    """
    where = settings()
    try:
        asyncio.run(_tail(where, from_start=from_start, triage=triage, as_json=as_json))
    except ExceptionGroup as failed:
        # Several lines at once may fail of the same cause.
        raise failed.exceptions[0] from None


async def _tail(where: CliSettings, *, from_start: bool, triage: bool, as_json: bool) -> None:
    free = asyncio.Semaphore(_AT_ONCE)
    console = results()

    def ready() -> None:
        if not as_json:
            remarks().print("[dim]waiting for pieces; Ctrl-C ends[/dim]")

    async with connect.store(where) as store, asyncio.TaskGroup() as shown:
        deliveries = DeliveryStore(store)
        current = await DirectoryStore(store).in_force()
        names = {person.id: person.name for person in current.workspace.people} if current else {}

        async def show(piece: FeedbackClassified) -> None:
            try:
                people = await _told(deliveries, piece)
            finally:
                free.release()
            if as_json:
                print_json(pieces.as_json(piece, people), indent=None)
            else:
                console.print(pieces.line(piece, people, names))

        async for received in follow(where.kafka, CLASSIFIED, from_start=from_start, on_ready=ready):
            piece = received.event
            if isinstance(piece, FeedbackClassified) and (piece.tags.needs_triage or not triage):
                await free.acquire()
                shown.create_task(show(piece))


async def _told(deliveries: DeliveryStore, piece: FeedbackClassified) -> tuple[Told, ...]:
    """Once nothing of it is under way any more, or after `_WAIT_S`. The notifier reads the same event."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _WAIT_S
    while True:
        rows = (await deliveries.of_pieces([piece.feedback_id])).get(piece.feedback_id, [])
        settled = bool(rows) and not any(row.state in _OPEN for row in rows)
        if settled or loop.time() > deadline:
            return pieces.told(rows)
        await asyncio.sleep(_ASK_EVERY_S)
