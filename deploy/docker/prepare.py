"""Makes fresh servers ready: replica set, collections and indexes, topics, the first administrator's link.

`python -m deploy.docker.prepare [--initiate HOST:PORT,… --at HOST:PORT --admin-password FILE]`, once before
the services start.
It may be repeated, and waits for servers that are still starting.
Exit code 0: ready; 2: configured wrongly; 3: not in time.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from shared import clock
from shared.bus.admin import ensure_topics
from shared.errors import ConfigurationError, DependencyDown
from shared.settings import CommonSettings, MongoSettings, load
from shared.store.connection import Store
from shared.store.logins import LoginStore
from shared.store.migrations import Migrator
from shared.store.replica_set import initiate, let_all_lead
from shared.store.users import Passwords, ensure_users
from shared.telemetry import logging as telemetry_logging

REPLICA_SET = "listeningpost"
_TRY_AGAIN_AFTER_S = 1.0
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Members:
    """Where those of our replica set are, and the first of them on its own machine."""

    hosts: str
    at: str
    admin_password: str | None = None


async def prepare(settings: CommonSettings, *, members: Members | None, within_s: float) -> None:
    """The servers are as this release needs them. Raises DependencyDown where they do not answer `within_s`.

    What has to be done to documents takes the time that it takes, whoever does it. `members` become a replica
    set, with users; None leaves that to whoever runs the database.
    """
    limit = asyncio.timeout(within_s)
    steps: list[tuple[str, Callable[[], Awaitable[object]]]] = [
        ("database_ready", lambda: _migrate(settings, limit)),
        ("topics_ready", lambda: ensure_topics(settings.kafka)),
        ("first_administrator", lambda: _invite(settings)),
    ]
    if members is not None:
        steps.insert(0, ("replica_set_ready", lambda: let_in(settings.mongo, members)))
    missing = DependencyDown("the servers", f"not ready within {within_s:g} s")
    try:
        async with limit:
            for event, step in steps:
                while (missing_now := await _try(step)) is not None:
                    missing = missing_now
                    _log.info("still_waiting", dependency=missing.dependency)
                    await asyncio.sleep(_TRY_AGAIN_AFTER_S)
                _log.info(event)
    except TimeoutError:
        raise missing from None


async def _try(step: Callable[[], Awaitable[object]]) -> DependencyDown | None:
    try:
        await step()
    except DependencyDown as error:
        return error
    return None


async def let_in(mongo: MongoSettings, members: Members) -> None:
    """The members are a replica set, and the services may come in. Raises DependencyDown.

    Which of them leads is all one, but for the very first time: on its own machine alone the first lets in
    somebody who has no name yet, and only the primary takes down names.
    """
    passwords = None
    if members.admin_password is not None and mongo.password is not None:
        passwords = Passwords(members.admin_password, mongo.password.get_secret_value())
    first_leads = passwords is not None
    try:
        await initiate(members.hosts, REPLICA_SET, at=members.at, within_s=20.0, first_leads=first_leads)
    except TimeoutError as error:
        raise DependencyDown("mongodb", f"{members.hosts} are no replica set: {error}") from None
    if passwords is not None:
        await ensure_users(members.hosts, REPLICA_SET, members.at, passwords, mongo.database)
        await let_all_lead(passwords.administrator_uri(members.hosts, REPLICA_SET))


async def _invite(settings: CommonSettings) -> None:
    """The link itself is shown by `listeningpost first-link`, and is in no log."""
    store = Store(settings.mongo)
    try:
        await store.start()
        invitation = await LoginStore(store).invite(clock.now())
    finally:
        await store.stop()
    if invitation.accepted_at is None:
        _log.info(
            "first_administrator_invited", until=f"{invitation.expires_at:%Y-%m-%d}", shown_by="first-link"
        )


async def _migrate(settings: CommonSettings, limit: asyncio.Timeout) -> None:
    store = Store(settings.mongo)
    try:
        await store.start()
        with _stopped(limit):
            await Migrator(store).start()
    finally:
        await store.stop()


@contextmanager
def _stopped(limit: asyncio.Timeout) -> Iterator[None]:
    """The time that the block takes does not count."""
    loop = asyncio.get_running_loop()
    left_s = (limit.when() or loop.time()) - loop.time()
    limit.reschedule(None)
    try:
        yield
    finally:
        limit.reschedule(loop.time() + left_s)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.docker.prepare", description=__doc__)
    parser.add_argument("--initiate", metavar="HOST:PORT,…", help="make these a replica set")
    parser.add_argument("--at", metavar="HOST:PORT", help="where the first is on its own machine")
    parser.add_argument(
        "--admin-password",
        type=Path,
        metavar="FILE",
        help="make its users, with this administrator's password",
    )
    parser.add_argument("--within", type=float, default=180.0, metavar="SECONDS", help="default: 180")
    chosen = parser.parse_args(arguments)
    try:
        settings = load(CommonSettings)
        telemetry_logging.configure(settings.log, "prepare")
        asyncio.run(prepare(settings, members=_members(chosen), within_s=chosen.within))
    except (ConfigurationError, OSError) as error:
        sys.stderr.write(f"cannot prepare: {error}\n")
        return 2
    except DependencyDown as error:
        sys.stderr.write(f"cannot prepare: {error}\n")
        return 3
    return 0


def _members(chosen: argparse.Namespace) -> Members | None:
    if chosen.initiate is None:
        return None
    file: Path | None = chosen.admin_password
    password = file.read_text(encoding="utf-8").strip() if file else None
    return Members(chosen.initiate, chosen.at or chosen.initiate, password)


if __name__ == "__main__":
    raise SystemExit(main())
