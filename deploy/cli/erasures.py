"""`listeningpost erasures`: the ledger of who was forgotten, and how far each is."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import typer

from deploy.cli import connect
from deploy.cli.ask import ask
from deploy.cli.output import Failed, Json, examples, pairs, print_json, remarks, results, table
from deploy.cli.settings import settings
from shared.domain.erasure import PARTS, PASSES, Erasure, Part
from shared.store.erasures import ErasureStore

_HELP = "The ledger of who was forgotten, and how far each is."


def register(app: typer.Typer) -> None:
    lines = ("listeningpost erasures", "listeningpost erasures show 8c1f2a", "listeningpost erasures again")
    erasures = typer.Typer(help=_HELP, epilog=examples(*lines), invoke_without_command=True)
    erasures.callback()(listed)
    erasures.command("show", epilog=examples(lines[1]))(show)
    erasures.command("again", epilog=examples(lines[2]))(again)
    app.add_typer(erasures, name="erasures")


def listed(context: typer.Context, *, as_json: Json = False) -> None:
    """Every erasure, the newest first. The ledger has keyed hashes, so nobody can tell from it who it was."""
    if context.invoked_subcommand is not None:
        return
    entries = asyncio.run(_entries())
    if as_json:
        print_json([as_dict(entry) for entry in entries])
    elif not entries:
        remarks().print("Nobody was forgotten yet.")
    else:
        rows = [
            (
                entry.id,
                f"{entry.asked_at.astimezone():%Y-%m-%d %H:%M}",
                entry.asked_by,
                _state(entry),
                f"{entry.complete_on.astimezone():%Y-%m-%d}",
            )
            for entry in entries
        ]
        results().print(table(("id", "asked", "by", "state", "complete on"), rows))


def show(
    *,
    entry_id: Annotated[str, typer.Argument(metavar="ID", help="Its id, or the beginning of it.")],
    as_json: Json = False,
) -> None:
    """Show the receipt of one: what went, and when nothing is left anywhere."""
    found = [entry for entry in asyncio.run(_entries()) if entry.id.startswith(entry_id.lower())]
    if len(found) != 1:
        raise Failed(f"{len(found)} erasures begin with {entry_id!r}", "`listeningpost erasures` lists ids")
    if as_json:
        print_json(as_dict(found[0]))
    else:
        show_receipt(found[0])


def again(*, as_json: Json = False) -> None:
    """Forget once more, after a backup was restored: what it brought back goes, and its gaps are filled.

    Ingest looks for that by itself when it starts and every ten minutes; this does it now.
    """
    with remarks().status("looking for whoever came back"):
        done = asyncio.run(ask(settings(), "ingest", "POST /internal/erasures/again", b"{}"))
    if as_json:
        print_json(done)
    else:
        remarks().print(
            f"{done['put_back']} entries are back in the ledger; {done['reopened']} erasures run again."
        )


def show_receipt(entry: Erasure) -> None:
    """As a table on stdout."""
    results().print(pairs({name: str(value) for name, value in as_dict(entry).items() if value}))
    if entry.completed_at is None:
        remarks().print(
            f"Topics and dead letters hold nothing any more on {entry.complete_on.astimezone():%Y-%m-%d}; "
            "mails that were delivered and backups are in your hands (docs/privacy.md)."
        )


def as_dict(entry: Erasure) -> dict[str, Any]:
    """The receipt: what went, by kind, and the day it is complete. Names nobody."""
    counts: dict[str, int] = {}
    for part in entry.parts.values():
        for name, count in part.counts.items():
            counts[name] = counts.get(name, 0) + count
    return {
        "id": entry.id,
        "asked_at": entry.asked_at,
        "asked_by": entry.asked_by,
        "state": _state(entry),
        "complete_on": entry.complete_on,
        "completed_at": entry.completed_at,
        **{f"erased {name}": count for name, count in sorted(counts.items())},
        **{f"passes of {name}": f"{_passes(entry, name)} of {len(PASSES)}" for name in PARTS},
    }


def _passes(entry: Erasure, part: str) -> int:
    return len(PASSES) if entry.completed_at else entry.parts.get(part, Part()).passes


def _state(entry: Erasure) -> str:
    if entry.completed_at is not None:
        return "complete"
    return "erased; topics expire" if entry.is_done else "under way"


async def _entries() -> list[Erasure]:
    async with connect.store(settings()) as store:
        return list(reversed(await ErasureStore(store).entries()))
