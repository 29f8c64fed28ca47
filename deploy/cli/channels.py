"""`listeningpost channels`: every door, open or closed and why, and how it goes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import typer
from rich.text import Text

from deploy.cli.ask import ask
from deploy.cli.output import Json, examples, print_json, results, table
from deploy.cli.settings import settings
from shared import clock

_MIB = 1_048_576
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))


def register(app: typer.Typer) -> None:
    lines = ("listeningpost channels", "listeningpost channels --json | jq '.doors[] | select(.open)'")
    app.command("channels", epilog=examples(*lines))(channels)


def channels(*, as_json: Json = False) -> None:
    """Every door: open or closed, its address, what it has taken.

    Ingest is asked. What it counts is since it started, and of the one replica that answers.
    """
    found = asyncio.run(ask(settings(), "ingest", "GET /internal/doors"))
    if as_json:
        print_json(found)
        return
    console, now = results(), clock.now()
    open_ones = [door for door in found["doors"] if door["open"]]
    columns = ("door", "kept", "refused", "quarantined", "last heard", "address")
    console.print(table(columns, [_row(door, now) for door in open_ones]))
    for door in open_ones:
        if door["problem"]:
            console.print(Text(f"✗ {door['name']}: {door['problem']}", style="red"))
        elif not door["last_heard_at"] and door["then"]:
            console.print(Text(f"→ {door['name']}: {door['then']}", style="yellow"))
    for door in found["doors"]:
        if not door["open"]:
            console.print(Text(f"· {door['name']} is closed: {door['problem']}", style="dim"))
            console.print(Text(f"  → set {' and '.join(door['needs'])}; {door['then']}", style="yellow"))
    for source in found["sources"]:
        if source["is_silent"]:
            console.print(Text(f"! {silence(source)}", style="yellow"))
    spool, since = found["spool"], _ago(found["started_at"], now)
    console.print(Text(f"since ingest started, {since}; the spool holds {_spool(spool)}", style="dim"))


def _row(door: dict[str, Any], now: datetime) -> tuple[str, ...]:
    heard = _ago(door["last_heard_at"], now) if door["last_heard_at"] else "not yet"
    return (
        door["name"],
        str(door["kept"]),
        str(door["refused"]),
        str(door["quarantined"]),
        heard,
        door["address"],
    )


def silence(source: Mapping[str, Any]) -> str:
    """How long nothing has come, and how long that is usual."""
    name = f"{source['channel']} {source['source']}".rstrip()
    silent, limit = _lasting(source["silent_s"]), _lasting(source["limit_s"])
    return f"{name}: nothing for {silent}; up to {limit} is usual at this hour"


def _ago(moment: str, now: datetime) -> str:
    return f"{_lasting(max((now - datetime.fromisoformat(moment)).total_seconds(), 0))} ago"


def _lasting(passed_s: float) -> str:
    for size_s, unit in _UNITS:
        if passed_s >= size_s:
            return f"{int(passed_s // size_s)} {unit}"
    return f"{int(passed_s)} s"


def _spool(spool: dict[str, Any]) -> str:
    if not spool["records"]:
        return "nothing"
    share = spool["bytes"] / spool["quota_bytes"]
    return f"{spool['records']} pieces ({spool['bytes'] / _MIB:.1f} MiB, {share:.0%} of its room)"
