"""How commands name whoever's data is meant: a person or an account, and how ingest is asked about them."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from deploy.cli.ask import ask
from deploy.cli.output import ExitCode, Failed
from deploy.cli.settings import CliSettings

WhoArgument = Annotated[
    str,
    typer.Argument(
        metavar="WHO",
        help="A mail address, a person's id (see `explain`), or kind:source/id like slack:T024BE7LD/U2147.",
        show_default=False,
    ),
]
AccountOption = Annotated[str, typer.Option(help="Everybody of this customer account, by its id, instead.")]


def named(who: str, account: str) -> str:
    """What is meant, in words. Raises Failed unless it is exactly one of both."""
    if bool(who.strip()) == bool(account.strip()):
        raise Failed("name a person, or an account with --account", code=ExitCode.USAGE)
    return who.strip() or f"account {account.strip()}"


async def ask_ingest(where: CliSettings, route: str, who: str, account: str, by: str = "") -> Any:  # noqa: ANN401 - JSON
    """What ingest answers, which alone has the key to the ledger and to confidences. Raises Failed."""
    body = json.dumps({"who": who, "account": account, "by": by}).encode()
    return await ask(where, "ingest", route, body)
