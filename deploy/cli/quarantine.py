"""`listeningpost quarantine`: what came in but is no feedback, or could not be read."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer
from rich.text import Text

from deploy.cli import connect
from deploy.cli.output import Failed, Json, examples, pairs, print_json, remarks, results, table
from deploy.cli.settings import settings
from shared.domain.quarantine import Quarantined, QuarantineReason
from shared.store.quarantine import QuarantineStore

_MOST_ROWS = 50
_MOST_JSON = 10_000
_HELP = "What came in but is no feedback, or could not be read."


def register(app: typer.Typer) -> None:
    lines = (
        "listeningpost quarantine",
        "listeningpost quarantine --reason unparsable --json",
        "listeningpost quarantine show 01JZ…",
    )
    quarantine = typer.Typer(help=_HELP, epilog=examples(*lines), invoke_without_command=True)
    quarantine.callback()(listed)
    quarantine.command("show", epilog=examples(lines[-1]))(show)
    app.add_typer(quarantine, name="quarantine")


def listed(
    context: typer.Context,
    *,
    reason: Annotated[
        QuarantineReason | None, typer.Option("--reason", help="Only those with this reason.")
    ] = None,
    channel: Annotated[str | None, typer.Option("--channel", help="Only of this: mail, slack, rest.")] = None,
    as_json: Json = False,
) -> None:
    """What came in but is no feedback, or could not be read.

    The newest first: out-of-office replies, bounces, our own mail come back, messages nobody could parse.
    """
    if context.invoked_subcommand is not None:
        return
    most = _MOST_JSON if as_json else _MOST_ROWS

    async def run() -> list[Quarantined]:
        async with connect.store(settings()) as store:
            kept = QuarantineStore(store)
            return await kept.search(reason=reason, channel=channel, limit=most + 1, whole=False)

    entries = asyncio.run(run())
    if as_json:
        for entry in entries[:most]:
            print_json(_as_json(entry), indent=None)
    elif entries:
        rows = [
            (e.id, f"{e.received_at.astimezone():%Y-%m-%d %H:%M:%S}", e.channel, e.reason.value, e.detail)
            for e in entries[:most]
        ]
        results().print(table(("id", "received", "channel", "reason", "detail"), rows))
    else:
        remarks().print("Nothing is in quarantine.")
    if len(entries) > most:
        remarks().print(f"the newest {most}; --reason and --channel narrow it down")


def show(
    *,
    entry_id: Annotated[str, typer.Argument(help="Its id, from `listeningpost quarantine`.", metavar="ID")],
    as_json: Json = False,
) -> None:
    """Show one whole, with what came in."""

    async def run() -> Quarantined | None:
        async with connect.store(settings()) as store:
            return await QuarantineStore(store).get(entry_id)

    entry = asyncio.run(run())
    if entry is None:
        raise Failed(
            f"there is nothing in quarantine under {entry_id!r}", "`listeningpost quarantine` lists ids"
        )
    text = entry.raw.decode("utf-8", "backslashreplace")
    if as_json:
        print_json({**_as_json(entry), "content": text})
        return
    console = results()
    console.print(pairs({name: str(fact) for name, fact in _as_json(entry).items()}))
    console.print()
    # Somebody else's bytes: what would steer the terminal is shown, not obeyed.
    console.print(Text("".join(char if char.isprintable() or char in "\n\t" else "·" for char in text)))
    if len(entry.raw) < entry.size_bytes:
        remarks().print(f"the first {len(entry.raw)} of {entry.size_bytes} bytes are kept")


def _as_json(entry: Quarantined) -> dict[str, object]:
    return {
        "id": entry.id,
        "reason": entry.reason.value,
        "channel": entry.channel,
        "source": entry.source,
        "detail": entry.detail,
        "received_at": entry.received_at,
        "size_bytes": entry.size_bytes,
    }
