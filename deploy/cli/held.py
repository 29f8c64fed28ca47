"""`listeningpost held`: notices that wait since a restore, because they may have been told before."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import typer
from rich.text import Text

from deploy.cli import complete, connect
from deploy.cli.moments import moment
from deploy.cli.output import ExitCode, Failed, Json, examples, print_json, remarks, results, table
from deploy.cli.settings import settings
from shared import clock
from shared.domain.delivery import CONTRIBUTOR, PLACE, Delivery, Purpose
from shared.domain.fence import Fence
from shared.store.connection import Store
from shared.store.deliveries import DeliveryStore
from shared.store.fence import FenceStore
from shared.store.held import HeldDeliveries, Sort, Which

_MOST_SHOWN = 20
_NAMES = "--purpose, --to, --piece, --urgent, --since, --until or --all"

PurposeOption = Annotated[Purpose | None, typer.Option("--purpose", help="Only these.")]
ToOption = Annotated[
    str | None,
    typer.Option(
        "--to",
        help="Only to this person or receiver, by id, or to `contributor`: whoever spoke.",
        autocompletion=complete.people,
    ),
]
PieceOption = Annotated[str | None, typer.Option("--piece", help="Only of the piece with this id.")]
UrgentOption = Annotated[bool | None, typer.Option("--urgent/--not-urgent", help="Only (not) urgent ones.")]
SinceOption = Annotated[
    str | None, typer.Option("--since", help="Only of what was received from then on: 2h, 3d, or a time.")
]
UntilOption = Annotated[str | None, typer.Option("--until", help="Only of what was received before then.")]
AllOption = Annotated[bool, typer.Option("--all", help="All of them.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say how many.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def register(app: typer.Typer) -> None:
    lines = (
        "listeningpost held --purpose notice",
        "listeningpost held send --since 2026-05-04T09:30 --dry-run",
        "listeningpost held drop --all",
        "listeningpost held drop --all --undo",
    )
    held = typer.Typer(help=_HELP, epilog=examples(*lines), invoke_without_command=True)
    held.callback()(listed)
    held.command("send", epilog=examples(lines[1]))(send)
    held.command("drop", epilog=examples(*lines[2:]))(drop)
    app.add_typer(held, name="held")


_HELP = "Notices that wait since a restore, because they may have been told before."


@dataclass(frozen=True, slots=True)
class _Shown:
    """What is held, and since which restore."""

    fence: Fence
    sorts: list[Sort]
    newest: list[Delivery]

    @property
    def count(self) -> int:
        return sum(sort.count for sort in self.sorts)


def listed(
    context: typer.Context,
    *,
    purpose: PurposeOption = None,
    to: ToOption = None,
    piece: PieceOption = None,
    urgent: UrgentOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    as_json: Json = False,
) -> None:
    """How many are held of which kind and to whom, and the newest of them."""
    if context.invoked_subcommand is not None:
        return
    shown = asyncio.run(_look(_which(purpose, to, piece, urgent, since, until)))
    if as_json:
        print_json(_as_json(shown))
    elif not shown.count:
        remarks().print("Nothing is held.")
    else:
        _show(shown)


def send(  # noqa: PLR0913 - one an option
    *,
    purpose: PurposeOption = None,
    to: ToOption = None,
    piece: PieceOption = None,
    urgent: UrgentOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    everything: AllOption = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Send what is held: exactly what `held` shows with the same options. It cannot be undone."""
    which = _chosen(_which(purpose, to, piece, urgent, since, until), everything=everything)
    asyncio.run(_settle("send", which, dry_run=dry_run, yes=yes, as_json=as_json))


def drop(  # noqa: PLR0913 - one an option
    *,
    purpose: PurposeOption = None,
    to: ToOption = None,
    piece: PieceOption = None,
    urgent: UrgentOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    everything: AllOption = False,
    undo: Annotated[bool, typer.Option("--undo", help="Hold again what was dropped.")] = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Do not send what is held: exactly what `held` shows with the same options. The pieces stay."""
    which = _chosen(_which(purpose, to, piece, urgent, since, until), everything=everything)
    verb = "hold again" if undo else "drop"
    asyncio.run(_settle(verb, which, dry_run=dry_run, yes=yes, as_json=as_json))


async def _settle(verb: str, which: Which, *, dry_run: bool, yes: bool, as_json: bool) -> None:
    """What comes to be held while somebody thinks about it was not shown, and stays held."""
    async with connect.store(settings()) as store:
        held, shown_at = DeliveryStore(store).held, clock.now()
        count = await (held.dropped(which) if verb == "hold again" else held.count(which))
        if not dry_run and count and not (yes or as_json):
            question = f"{verb.capitalize()} {count:,} notices?"
            if not await asyncio.to_thread(typer.confirm, question, err=True):
                raise Failed("nothing was changed")
        done = 0 if dry_run or not count else await _change(held, verb, which, shown_at)
    if as_json:
        print_json({"dry_run": dry_run, "found": count, "done": done})
    elif dry_run:
        results().print(f"{count:,} notices: would {verb}.")
    else:
        past = {"send": "are on their way", "drop": "were dropped", "hold again": "are held again"}
        results().print(f"{done:,} notices {past[verb]}.")


async def _change(held: HeldDeliveries, verb: str, which: Which, shown_at: datetime) -> int:
    if verb == "send":
        return await held.send(which, shown_at, clock.now())
    if verb == "drop":
        return await held.drop(which, shown_at, clock.now())
    return await held.take_back(which, clock.now())


def _which(
    purpose: Purpose | None,
    to: str | None,
    piece: str | None,
    urgent: bool | None,  # noqa: FBT001 - None, or one of two
    since: str | None,
    until: str | None,
) -> Which:
    now = clock.now()
    return Which(purpose, to, piece, urgent, moment(since, now), moment(until, now))


def _chosen(which: Which, *, everything: bool) -> Which:
    """Raises Failed where nothing says which ones."""
    if which == Which() and not everything:
        raise Failed("which ones?", f"choose with {_NAMES}", ExitCode.USAGE)
    return which


async def _look(which: Which) -> _Shown:
    async with connect.store(settings()) as store:
        return await _shown(store, which)


async def _shown(store: Store, which: Which) -> _Shown:
    held = DeliveryStore(store).held
    return _Shown(
        await FenceStore(store).get(), await held.sorts(which), await held.newest(which, _MOST_SHOWN)
    )


def _show(shown: _Shown) -> None:
    console = results()
    rows = [(f"{sort.count:,}", sort.purpose.value, _called(sort.recipient)) for sort in shown.sorts]
    console.print(table(("how many", "of what", "to"), rows))
    newest = [
        (
            f"{row.received_at.astimezone():%Y-%m-%d %H:%M:%S}",
            row.purpose.value,
            _called(row.recipient),
            row.target.receiver if row.target else "",
            row.feedback_id or "many",
        )
        for row in shown.newest
    ]
    console.print(table(("received", "of what", "to", "by", "piece"), newest, title="\nThe newest"))
    since = f"{shown.fence.at.astimezone():%Y-%m-%d %H:%M:%S}"
    what = f"{shown.count:,} held: received before the restore of {since}, they may have been told already."
    remarks().print(Text(what))
    remarks().print(Text("`listeningpost held send …` sends them, `listeningpost held drop …` does not."))


def _as_json(shown: _Shown) -> dict[str, object]:
    return {
        "held": shown.count,
        "restored_at": shown.fence.at,
        "dumped_at": shown.fence.dumped_at,
        "by": [
            {"purpose": sort.purpose, "recipient": sort.recipient, "count": sort.count}
            for sort in shown.sorts
        ],
        "newest": [
            {
                "id": row.id,
                "feedback_id": row.feedback_id,
                "received_at": row.received_at,
                "purpose": row.purpose,
                "recipient": row.recipient,
                "receiver": row.target.receiver if row.target else None,
                "urgent": row.urgent,
            }
            for row in shown.newest
        ],
    }


def _called(recipient: str) -> str:
    return "whoever spoke" if recipient == CONTRIBUTOR else recipient.removeprefix(PLACE)
