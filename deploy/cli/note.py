"""`listeningpost note`: what a colleague heard in a conversation, and the personal link to the form."""

from __future__ import annotations

import asyncio
import sys
from datetime import datetime, time, timedelta
from email.utils import parseaddr
from typing import Annotated, Any

import click
import typer
from rich.text import Text

from deploy.cli import connect
from deploy.cli.author import login
from deploy.cli.door import Attach, Key, Url, attachment, report, send_to
from deploy.cli.keys import colleague
from deploy.cli.output import ExitCode, Failed, Json, examples, print_json, remarks, results
from deploy.cli.settings import settings
from shared import clock
from shared.domain.api_key import ApiKey, Scope
from shared.domain.person import Person
from shared.events.feedback import Affiliation, Mode, Occasion
from shared.store.api_keys import ApiKeyStore
from shared.store.migrations import Migrator

_HELP = "Notes of conversations: write one, or make a colleague's link to the form."
_PARTY = "--for 'Anna Berg <anna@nordwind.example>'"
_KINDS = "talk, call, lunch, training, user-test or other."
_DATES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M"]
_SOURCE = "notes"
_MARK = "# ------------------------ >8 ------------------------"
_TEMPLATE = f"""\

{_MARK}
# Above: what was said, in their own words. What were they trying to do?
# What got in the way, or worked well? Leave it empty to send nothing.
"""


def register(app: typer.Typer) -> None:
    note = typer.Typer(help=_HELP, no_args_is_help=True)
    lines = (
        f"listeningpost note add --by joao-pereira {_PARTY} --account nordwind --kind lunch 'Clear at last.'",
        "listeningpost note add --kind call --change 'The order of the lines.'   (opens $EDITOR)",
        "listeningpost note add --kind user-test --when 2026-05-04 - < minutes.txt",
    )
    note.command("add", epilog=examples(*lines))(add)
    note.command("link", epilog=examples("listeningpost note link joao-pereira --days 30"))(link)
    app.add_typer(note, name="note")


def _occasion(word: str) -> Occasion:
    try:
        return Occasion(word.strip().lower().replace("-", "_").replace(" ", "_"))
    except ValueError:
        known = ", ".join(kind.replace("_", "-") for kind in Occasion)
        raise typer.BadParameter(f"{word!r} is none of {known}.") from None


def add(  # noqa: PLR0913 - one an option
    *,
    text: Annotated[
        str | None, typer.Argument(help="What was said; - reads stdin, nothing opens $EDITOR.")
    ] = None,
    kind: Annotated[Occasion, typer.Option(parser=_occasion, metavar="KIND", help=_KINDS)],
    by: Annotated[
        str | None, typer.Option(help="Who heard it, by id; not needed with a key of one's own.")
    ] = None,
    party: Annotated[
        str, typer.Option("--for", help="On whose behalf: a name, an address, or both as in a mail.")
    ] = "",
    account: Annotated[str, typer.Option(help="Their account: id, name or domain.")] = "",
    affiliation: Annotated[
        Affiliation | None, typer.Option(help="What they are to us; default: a customer, of a known account.")
    ] = None,
    change: Annotated[str, typer.Option(help="What they would change.")] = "",
    keep: Annotated[str, typer.Option(help="What we should go on doing.")] = "",
    touchpoint: Annotated[str | None, typer.Option(help="Where it belongs, if you know.")] = None,
    when: Annotated[
        datetime | None, typer.Option(formats=_DATES, help="The day, or day and time, here.")
    ] = None,
    attach: Attach = None,
    confidential: Annotated[bool, typer.Option("--confidential", help="Neither name is told.")] = False,
    test: Annotated[bool, typer.Option("--test", help="Tell nobody; leave it out of trends.")] = False,
    url: Url = None,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Write down what a customer, prospect, partner or provider told you.

    Exit code 0 when it is kept, 1 when it was refused (it says why), 3 when nobody answered.
    """
    item: dict[str, Any] = {
        "kind": kind.value,
        "text": _words(text),
        "account": account,
        "would_change": change,
        "would_keep": keep,
        "confidential": confidential,
        "mode": (Mode.TEST if test else Mode.LIVE).value,
        "on_behalf_of": _party(party, affiliation),
    }
    happened = _happened(when)
    item |= {"by": by, "touchpoint": touchpoint, "occurred_at": happened.isoformat() if happened else None}
    if attach:
        item["attachments"] = [attachment(path) for path in attach]
    report(send_to("/v1/notes", item, url=url, key=key, scope=Scope.NOTES), as_json=as_json)


def link(
    *,
    person: Annotated[str, typer.Argument(help="The colleague, by their id in the directory.")],
    days: Annotated[int, typer.Option(min=1, max=400, help="Until it expires.")] = 90,
    as_json: Json = False,
) -> None:
    """Make a colleague's own link to the form for notes, and show it, once.

    Whoever has it writes in their name, so send it to nobody else. `listeningpost keys revoke` takes it back.
    """
    now = clock.now()
    where = settings()

    async def run() -> tuple[Person, ApiKey, str]:
        async with connect.store(where) as store:
            await Migrator(store).start()
            known = await colleague(store, person)
            made = await ApiKeyStore(store).create(
                f"note link of {person}",
                [Scope.NOTES],
                now=now,
                source=_SOURCE,
                created_by=login(),
                expires_at=now + timedelta(days=days),
                person=person,
            )
            return known, *made

    known, made, token = asyncio.run(run())
    base = str(where.public_url or where.cli.ingest_url).rstrip("/")
    # Behind the #: browsers send that to nobody, so it is in no log of a server on the way.
    address = f"{base}/notes/new#{token}"
    if as_json:
        print_json({"link": address, "id": made.id, "person": person, "expires_at": made.expires_at})
        return
    results().print(Text(address), soft_wrap=True)
    until = f"{made.expires_at:%Y-%m-%d}" if made.expires_at else ""
    said = f"For {known.name} alone, until {until}, and shown only now. To take it back:"
    remarks().print(Text(f"{said} `listeningpost keys revoke {made.id}`.", "yellow"), soft_wrap=True)
    if where.public_url is None:
        unset = f"LISTENINGPOST_PUBLIC_URL is not set, so the link leads to {base}."
        remarks().print(Text(unset, "yellow"), soft_wrap=True)


def _words(text: str | None) -> str:
    """What was said: the argument, stdin, or what was written in the editor."""
    if text is not None:
        return sys.stdin.read() if text == "-" else text
    if not sys.stdin.isatty():
        raise Failed("it is not said what was said", "give the text, or - to read stdin", ExitCode.USAGE)
    try:
        written = (click.edit(_TEMPLATE) or "").partition(_MARK)[0].strip()
    except click.ClickException as error:
        raise Failed(error.message, "give the text as an argument, or set $EDITOR", ExitCode.USAGE) from None
    if not written:
        raise Failed("nothing was written, so nothing was sent", code=ExitCode.USAGE)
    return written


def _party(party: str, affiliation: Affiliation | None) -> dict[str, str]:
    """Of "Anna Berg <anna@nordwind.example>", an address alone, or a name alone."""
    name, address = parseaddr(party)
    if "@" not in address:
        name, address = party.strip(), ""
    found = {"name": name}
    if address:
        found["email"] = address
    if affiliation is not None:
        found["affiliation"] = affiliation.value
    return found


def _happened(when: datetime | None) -> datetime | None:
    """In the zone of this machine. A day alone is its noon, and today just now."""
    if when is None:
        return None
    if when.time() != time():
        return when.astimezone()
    today = clock.now().astimezone().date()
    return None if when.date() == today else when.replace(hour=12).astimezone()
