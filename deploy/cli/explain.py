"""`listeningpost explain`: the whole life of one piece."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated

import typer

from deploy.cli import connect
from deploy.cli.complete import feedback_ids
from deploy.cli.life import Life, gather
from deploy.cli.life_json import as_json as life_json
from deploy.cli.life_shown import show
from deploy.cli.output import ExitCode, Failed, Json, examples, print_json, remarks
from deploy.cli.settings import CliSettings, environment, settings
from services.notifier.settings import NotifierSettings
from shared.domain.quarantine import Quarantined
from shared.events.topics import TOPICS
from shared.settings import load
from shared.store.connection import Store
from shared.store.feedback import FeedbackStore
from shared.store.quarantine import QuarantineStore

_MOST_NAMED = 10
_MOST_ASIDE = 3
#: A shorter beginning of an id names too many to be meant.
_FEWEST_CHARS = 4


def register(app: typer.Typer) -> None:
    lines = (
        "listeningpost explain 8c1f2a",
        'listeningpost explain "<CAF+1@mail.customer.example>"',
        "listeningpost explain 8c1f2a --json | jq .deliveries[].state",
    )
    app.command("explain", epilog=examples(*lines))(explain)


def explain(
    *,
    name: Annotated[
        str,
        typer.Argument(
            metavar="ID",
            help="Its feedback_id or the beginning of it, or what its provider calls it, like a Message-ID.",
            autocompletion=feedback_ids,
        ),
    ],
    as_json: Json = False,
) -> None:
    """Show the whole life of a piece: events, tags and why, who was told.

    What is stored, its events while Kafka keeps them, each tag with the words it was read from, its weight,
    who was told, why and with which attempts, who was not, and its dead letters. Exit code 1 when there is no
    such piece.
    """
    where = settings()
    life, max_age = asyncio.run(_explain(where, name.strip()))
    if as_json:
        print_json(life_json(life, max_age))
    else:
        show(life, max_age)


async def _explain(where: CliSettings, name: str) -> tuple[Life, timedelta]:
    max_age = timedelta(hours=load(NotifierSettings, environment()).notifier.max_age_h)
    with remarks().status("looking") as status:
        async with connect.store(where) as store:
            feedback_id = await _named(store, name)
            life = await gather(
                where, store, feedback_id or name.lower(), lambda place: status.update(f"looking at {place}")
            )
            if not life.is_known:
                aside = await QuarantineStore(store).search(containing=name, limit=_MOST_ASIDE, whole=False)
                raise _nothing(name, life, aside)
    return life, max_age


async def _named(store: Store, name: str) -> str | None:
    """The one piece that is meant; None when nothing stored is. Raises Failed when several could be."""
    if len(name) < _FEWEST_CHARS:
        remedy = f"give at least the first {_FEWEST_CHARS} characters"
        raise Failed(f"{name!r} is too short to name a piece", remedy, ExitCode.USAGE)
    found = await FeedbackStore(store).named(name, _MOST_NAMED)
    if len(found) > 1:
        several = ", ".join(found) + (" …" if len(found) == _MOST_NAMED else "")
        raise Failed(f"{name!r} names several pieces: {several}", "give more of its id", ExitCode.USAGE)
    return found[0] if found else None


def _nothing(name: str, life: Life, aside: Sequence[Quarantined]) -> Failed:
    topics = ", ".join(topic.name for topic in TOPICS)
    looked = "among the stored pieces (by id, by its beginning, by what its provider calls it)"
    if not life.notes:
        looked += f", in the topics {topics} and among their dead letters (by its whole id)"
    remedy = (
        "what is no feedback or could not be read is in `listeningpost quarantine`, what could not be "
        "processed in `listeningpost dead-letters`; what was said in confidence is found by its id only"
    )
    if aside:
        kept = ", ".join(f"`listeningpost quarantine show {entry.id}` ({entry.reason})" for entry in aside)
        remedy = f"it is mentioned in quarantine: {kept}"
    return Failed("; ".join((f"there is no piece {name!r}: looked {looked}", *life.notes)), remedy)
