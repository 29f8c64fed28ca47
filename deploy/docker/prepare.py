"""Makes fresh servers ready: replica set, collections and indexes, topics, the first administrator's link.

`python -m deploy.docker.prepare [--initiate HOST:PORT] [--make-key] [--share-token FOLDER]`, once before the
services start.
It may be repeated, and waits for servers that are still starting.
Exit code 0: ready; 2: configured wrongly; 3: not in time.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import structlog
from cryptography.fernet import Fernet

from shared import clock
from shared.bus.admin import ensure_topics
from shared.errors import ConfigurationError, DependencyDown
from shared.settings import CONTRIBUTORS_KEY, INTERNAL_TOKEN, CommonSettings, load
from shared.store.connection import Store
from shared.store.logins import LoginStore
from shared.store.migrations import Migrator
from shared.store.replica_set import initiate
from shared.telemetry import logging as telemetry_logging

REPLICA_SET = "listeningpost"
_TRY_AGAIN_AFTER_S = 1.0
_log = structlog.get_logger()


async def prepare(settings: CommonSettings, *, member: str | None, within_s: float) -> None:
    """The servers are as this release needs them. Raises DependencyDown when that is not so `within_s`.

    `member` ("mongo:27017") becomes a replica set of one; None leaves that to whoever runs the database.
    """
    steps: list[tuple[str, Callable[[], Awaitable[object]]]] = [
        ("database_ready", lambda: _migrate(settings)),
        ("topics_ready", lambda: ensure_topics(settings.kafka)),
        ("first_administrator", lambda: _invite(settings)),
    ]
    if member is not None:
        steps.insert(0, ("replica_set_ready", lambda: _initiate(member)))
    missing = DependencyDown("the servers", f"not ready within {within_s:g} s")
    try:
        async with asyncio.timeout(within_s):
            for event, step in steps:
                while (missing_now := await _try(step)) is not None:
                    missing = missing_now
                    _log.info("still_waiting", dependency=missing.dependency)
                    await asyncio.sleep(_TRY_AGAIN_AFTER_S)
                _log.info(event)
    except TimeoutError:
        raise missing from None


def make_key(directory: Path) -> bool:
    """There is a key for confidences in the secrets folder; False: it was there before, and stays."""
    return _make(directory / CONTRIBUTORS_KEY, Fernet.generate_key())


def make_token(directory: Path) -> bool:
    """There is a token there that our tools show to the services; False: it was there before, and stays."""
    return _make(directory / INTERNAL_TOKEN, secrets.token_urlsafe(32).encode())


def _make(path: Path, content: bytes) -> bool:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    return True


def share_token(settings: CommonSettings, folder: Path) -> None:
    """Who may ask the services, and has no business with confidences, finds the token in `folder`."""
    if settings.internal_token is None:
        raise ConfigurationError("there is no LISTENINGPOST_INTERNAL_TOKEN that could be shared")
    path, value = folder / INTERNAL_TOKEN, settings.internal_token.get_secret_value().encode()
    if path.is_file() and path.read_bytes() == value:
        return
    path.unlink(missing_ok=True)
    _make(path, value)


def _make_keys(settings: CommonSettings) -> CommonSettings:
    """The settings with what was made."""
    if settings.secrets_dir is None:
        raise ConfigurationError("LISTENINGPOST_SECRETS_DIR is not set; a key must have a place")
    if settings.contributors_key is None and make_key(settings.secrets_dir):
        _log.info("contributors_key_made", keep="a copy where the backups are not")
    if settings.internal_token is None and make_token(settings.secrets_dir):
        _log.info("internal_token_made")
    return load(CommonSettings)


async def _try(step: Callable[[], Awaitable[object]]) -> DependencyDown | None:
    try:
        await step()
    except DependencyDown as error:
        return error
    return None


async def _initiate(member: str) -> None:
    try:
        await initiate(member, REPLICA_SET, within_s=20.0)
    except TimeoutError:
        raise DependencyDown("mongodb", f"{member} does not become the primary") from None


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


async def _migrate(settings: CommonSettings) -> None:
    store = Store(settings.mongo)
    try:
        await store.start()
        await Migrator(store).start()
    finally:
        await store.stop()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.docker.prepare", description=__doc__)
    parser.add_argument("--initiate", metavar="HOST:PORT", help="make this mongod a replica set of one")
    parser.add_argument("--make-key", action="store_true", help="make the keys, once")
    parser.add_argument(
        "--share-token", type=Path, metavar="FOLDER", help="put the tools' token there as well"
    )
    parser.add_argument("--within", type=float, default=180.0, metavar="SECONDS", help="default: 180")
    chosen = parser.parse_args(arguments)
    try:
        settings = load(CommonSettings)
        telemetry_logging.configure(settings.log, "prepare")
        if chosen.make_key:
            settings = _make_keys(settings)
        if chosen.share_token is not None:
            share_token(settings, chosen.share_token)
        asyncio.run(prepare(settings, member=chosen.initiate, within_s=chosen.within))
    except ConfigurationError as error:
        sys.stderr.write(f"cannot prepare: {error}\n")
        return 2
    except DependencyDown as error:
        sys.stderr.write(f"cannot prepare: {error}\n")
        return 3
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
