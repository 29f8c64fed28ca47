"""`listeningpost erase`: somebody asks to be forgotten."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import typer
from rich.status import Status

from deploy.cli import connect
from deploy.cli.author import login
from deploy.cli.erasures import as_dict, show_receipt
from deploy.cli.output import ExitCode, Failed, Json, examples, print_json, remarks
from deploy.cli.settings import CliSettings, settings
from deploy.cli.whom import AccountOption, WhoArgument, ask_ingest, named
from shared.domain.erasure import PARTS, Erasure, Part
from shared.store.erasures import ErasureStore

_LOOK_EVERY_S = 0.3
_WITHIN_S = 60.0


def register(app: typer.Typer) -> None:
    lines = (
        "listeningpost erase dora.doe@customer.example --dry-run",
        "listeningpost erase dora.doe@customer.example",
        "listeningpost erase slack:T024BE7LD/U2147483697 --yes --json",
        "listeningpost erase --account tallship",
    )
    app.command("erase", epilog=examples(*lines))(erase)


def erase(
    *,
    who: WhoArgument = "",
    account: AccountOption = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how much there is.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    by: Annotated[str | None, typer.Option(help="Who asks for it; default: your login.")] = None,
    as_json: Json = False,
) -> None:
    """Forget somebody: what they said, who they are, and what was made of it. It cannot be undone.

    Texts, tags, attachments nobody else shows, sealed names, notices, quarantine, dead letters and contacts
    go at once; topics hold nothing any more after seven days. What brings it back (a poll, an import, a
    replay, a restored backup) is not taken. What they say from now on is heard.
    """
    meant, where = named(who, account), settings()
    found = asyncio.run(ask_ingest(where, "POST /internal/erasures/survey", who, account))
    if found["colleague"] is not None:
        raise Failed(
            f"{found['colleague']} is a colleague in the workspace in force",
            "take them out of the workspace first (`listeningpost apply`), then erase them",
        )
    if dry_run:
        print_json(found) if as_json else remarks().print(_said(meant, found), markup=False)
        return
    if not yes:
        remarks().print(_said(meant, found), markup=False)
        if not typer.confirm("Forget them? This cannot be undone.", err=True):
            raise Failed("nothing was erased", code=ExitCode.FOUND)
    with remarks().status("erasing") as status:
        entry = asyncio.run(_erase(where, who, account, by or login(), status))
    if as_json:
        print_json(as_dict(entry))
    else:
        show_receipt(entry)
    if not entry.is_done:
        raise Failed(
            f"{_left(entry)} has not done its part yet",
            f"it will, once it runs: `listeningpost erasures {entry.id}` shows how far it is",
        )


async def _erase(where: CliSettings, who: str, account: str, by: str, status: Status) -> Erasure:
    """The order is given, and every part has made its first pass, or had the time to."""
    given = await ask_ingest(where, "POST /internal/erasures", who, account, by)
    loop = asyncio.get_running_loop()
    until = loop.time() + _WITHIN_S
    async with connect.store(where) as store:
        erasures = ErasureStore(store)
        while True:
            entry = await erasures.get(given["ledger_id"])
            if entry is None:
                raise Failed("the ledger has lost the entry", "was a backup restored just now?")
            if entry.is_done or loop.time() > until:
                return entry
            status.update(f"waiting for {_left(entry)}")
            await asyncio.sleep(_LOOK_EVERY_S)


def _left(entry: Erasure) -> str:
    return ", ".join(name for name in PARTS if not entry.parts.get(name, Part()).passes)


def _said(meant: str, found: dict[str, Any]) -> str:
    """How much there is, in a sentence."""
    parts = [f"{found['pieces']} pieces", f"{found['quarantine']} in quarantine"]
    if found["contact_of"]:
        parts.append(f"a contact of {', '.join(found['contact_of'])}")
    return f"{meant}: {', '.join(parts)}."
