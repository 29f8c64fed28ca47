"""`listeningpost first-link`: the link by which the first administrator comes in."""

from __future__ import annotations

import asyncio

import typer
from rich.text import Text

from deploy.cli import connect
from deploy.cli.output import Failed, Json, examples, print_json, remarks, results
from deploy.cli.settings import CliSettings, settings
from shared import clock
from shared.domain.invitation import Invitation, token
from shared.errors import ConfigurationError
from shared.store.logins import LoginStore
from shared.store.migrations import Migrator

_PATH = "/first"
_NO_KEY = (
    "there is no LISTENINGPOST_INTERNAL_TOKEN, of which the link is made; set one, the same as the console's"
)


def register(app: typer.Typer) -> None:
    app.command("first-link", epilog=examples("listeningpost first-link"))(first_link)


def first_link(*, as_json: Json = False) -> None:
    """Show the link by which the first administrator comes in. It works once, and for a week.

    It may be shown as often as you like until somebody used it; after a week this makes a new one.
    """
    where = settings()
    if where.internal_token is None:
        raise ConfigurationError(_NO_KEY)
    invitation = asyncio.run(_invitation(where))
    if invitation.accepted_at is not None:
        when = f"{invitation.accepted_at.astimezone():%Y-%m-%d %H:%M}"
        raise Failed(
            f"the first administrator came in on {when}",
            "`listeningpost keys create` makes further keys, `keys revoke` takes them back",
        )
    base = str(where.console_url or where.cli.console_url or "").rstrip("/")
    if not base:
        raise ConfigurationError("LISTENINGPOST_CONSOLE_URL is not set; it is where the link has to lead")
    # Behind the #: browsers send that to nobody, so it is in no log of a server on the way.
    link = f"{base}{_PATH}#{token(invitation.id, where.internal_token.get_secret_value())}"
    if as_json:
        print_json({"link": link, "expires_at": invitation.expires_at})
        return
    results().print(Text(link), soft_wrap=True)
    said = f"Open it in a browser. It works once, until {invitation.expires_at:%Y-%m-%d}; send it to nobody."
    remarks().print(Text(said, "yellow"), soft_wrap=True)


async def _invitation(where: CliSettings) -> Invitation:
    async with connect.store(where) as store:
        await Migrator(store).start()
        return await LoginStore(store).invite(clock.now())
