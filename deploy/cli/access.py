"""`listeningpost access`: everything that is known of somebody who asks."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Annotated, Any

import typer

from deploy.cli.output import ExitCode, Failed, Json, examples, print_json, remarks, results, table
from deploy.cli.settings import settings
from deploy.cli.whom import AccountOption, WhoArgument, ask_ingest, named

_EXCERPT_CHARS = 80


def register(app: typer.Typer) -> None:
    lines = (
        "listeningpost access dora.doe@customer.example",
        "listeningpost access dora.doe@customer.example --out dora.json",
        "listeningpost access --account tallship --json | jq '.pieces | length'",
    )
    app.command("access", epilog=examples(*lines))(access)


def access(
    *,
    who: WhoArgument = "",
    account: AccountOption = "",
    out: Annotated[
        Path | None, typer.Option(help="Write it into this file, which only you may read.", dir_okay=False)
    ] = None,
    as_json: Json = False,
) -> None:
    """Show everything that is known of somebody who asks.

    What they said and what was made of it, what they said in confidence (opened, since it is theirs), how
    they were answered, how many were told, what of theirs is in quarantine, and what the workspace says of
    them: in full with --json or --out. Exit code 1 when nothing is known.
    """
    meant = named(who, account)
    if out is not None and out.exists():
        raise Failed(f"{out} is there already", "name another file", ExitCode.USAGE)
    with remarks().status("looking"):
        found = asyncio.run(ask_ingest(settings(), "POST /internal/access", who, account))
    if out is not None:
        _write(out, json.dumps(found, ensure_ascii=False, indent=2))
    if as_json:
        print_json(found)
    elif found["pieces"]:
        rows = [_row(piece) for piece in found["pieces"]]
        results().print(table(("received", "channel", "id", "text"), rows))
    counts = {name: len(found[name]) for name in ("pieces", "quarantine", "contacts")}
    said = "{pieces} pieces, {quarantine} in quarantine, {contacts} contacts".format_map(counts)
    remarks().print(
        f"{meant}: {said}" + (f"; all of it is in {out}" if out is not None else ""), markup=False
    )
    if not any(counts.values()):
        raise typer.Exit(ExitCode.FOUND)


def _row(piece: dict[str, Any]) -> tuple[str, str, str, str]:
    said = " ".join(f"{piece.get('title', '')} {piece.get('text', '')}".split())
    return piece["received_at"][:16], piece["channel"], piece["feedback_id"], said[:_EXCERPT_CHARS]


def _write(file: Path, text: str) -> None:
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as opened:
        opened.write(text + "\n")
