"""`listeningpost keys`: which programs may send feedback or change accounts."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Annotated

import typer
from rich.text import Text

from deploy.cli import connect
from deploy.cli.author import login
from deploy.cli.output import Failed, Json, examples, print_json, remarks, results, table
from deploy.cli.settings import settings
from shared import clock
from shared.domain.api_key import ApiKey, Scope
from shared.domain.person import Person
from shared.domain.suggest import did_you_mean
from shared.store.api_keys import ApiKeyStore
from shared.store.connection import Store
from shared.store.directory import DirectoryStore
from shared.store.migrations import Migrator


def register(app: typer.Typer) -> None:
    keys = typer.Typer(help="API keys: create, list, revoke.", no_args_is_help=True)
    keys.command("create", epilog=examples("listeningpost keys create portal-widget --days 365"))(create)
    keys.command("list", epilog=examples("listeningpost keys list --json"))(show)
    keys.command("revoke", epilog=examples("listeningpost keys revoke 3f9a11c2b7d0"))(revoke)
    app.add_typer(keys, name="keys")


def create(
    *,
    name: Annotated[str, typer.Argument(help="What the key is for, as you will look for it later.")],
    scope: Annotated[list[Scope], typer.Option(help="What it may do; give it several times for more.")] = [  # noqa: B006 - typer copies it
        Scope.WRITE
    ],
    source: Annotated[str | None, typer.Option(help="The sending system; default: the name.")] = None,
    person: Annotated[
        str | None, typer.Option(help="The colleague who speaks through it, by their id.")
    ] = None,
    days: Annotated[int | None, typer.Option(min=1, help="Until it expires; default: never.")] = None,
    as_json: Json = False,
) -> None:
    """Make an API key and show its secret, once.

    Two keys of one system share their --source, so that replacing a key does not make another piece of what
    was sent before.
    """
    now = clock.now()
    expires_at = now + timedelta(days=days) if days else None

    async def run() -> tuple[ApiKey, str]:
        async with connect.store(settings()) as store:
            await Migrator(store).start()
            if person is not None:
                await colleague(store, person)
            return await ApiKeyStore(store).create(
                name,
                scope,
                now=now,
                source=source,
                created_by=login(),
                expires_at=expires_at,
                person=person,
            )

    key, token = asyncio.run(run())
    if as_json:
        print_json({**_as_json(key), "token": token})
        return
    results().print(token)
    remarks().print(
        Text("This is the only time it is shown. Send it as `Authorization: Bearer <key>`.", "yellow")
    )


def show(*, as_json: Json = False) -> None:
    """Show every key, revoked ones too. The secrets are not kept, so they cannot be shown."""

    async def run() -> list[ApiKey]:
        async with connect.store(settings()) as store:
            return await ApiKeyStore(store).list()

    keys = asyncio.run(run())
    if as_json:
        print_json([_as_json(key) for key in keys])
        return
    if not keys:
        remarks().print("There are no keys yet: `listeningpost keys create <name>` makes one.")
        return
    rows = [
        (
            key.id,
            key.name,
            key.person or "",
            key.source,
            " ".join(sorted(key.scopes)),
            f"{key.created_at:%Y-%m-%d}",
            _state(key),
        )
        for key in keys
    ]
    results().print(table(("id", "name", "person", "source", "scopes", "made", ""), rows))


def revoke(
    *,
    key_id: Annotated[str, typer.Argument(help="Its id, from `listeningpost keys list`.")],
    as_json: Json = False,
) -> None:
    """Take a key back: within five seconds it opens nothing any more."""

    async def run() -> bool:
        async with connect.store(settings()) as store:
            return await ApiKeyStore(store).revoke(key_id, now=clock.now())

    if not asyncio.run(run()):
        raise Failed(f"no key {key_id!r} is in force", "`listeningpost keys list` shows their ids")
    if as_json:
        print_json({"id": key_id, "revoked": True})
        return
    results().print(f"{key_id} is revoked.")


async def colleague(store: Store, person_id: str) -> Person:
    """The colleague of this id. Raises Failed when the directory in force knows none."""
    version = await DirectoryStore(store).in_force()
    known = {person.id: person for person in version.workspace.people} if version else {}
    if person_id not in known:
        remedy = did_you_mean(person_id, known, "`listeningpost apply` declares people")
        raise Failed(f"there is no colleague {person_id!r}", remedy)
    return known[person_id]


def _state(key: ApiKey) -> str:
    if key.revoked_at is not None:
        return f"revoked {key.revoked_at:%Y-%m-%d}"
    if key.expires_at is not None:
        return f"{'expired' if key.expires_at < clock.now() else 'until'} {key.expires_at:%Y-%m-%d}"
    return ""


def _as_json(key: ApiKey) -> dict[str, object]:
    return {
        "id": key.id,
        "name": key.name,
        "source": key.source,
        "person": key.person,
        "scopes": sorted(key.scopes),
        "created_at": key.created_at,
        "created_by": key.created_by,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
    }
