"""MongoDB: version, replica set, clock, indexes, the directory, and the secrets that one names."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime

from deploy.cli import connect
from deploy.cli.checks.finding import Finding, State
from deploy.cli.settings import CliSettings
from shared import clock
from shared.domain.advice import secrets_named
from shared.errors import ConfigurationError, DependencyDown
from shared.store.connection import Store
from shared.store.declared import missing
from shared.store.deliveries import DeliveryStore
from shared.store.directory import DirectoryStore, Version
from shared.store.schema import REMEDY, SCHEMA, Schema, SchemaStore, Standing

_OLDEST_MONGODB = (6, 0)
#: Leases and retry windows are safe below it; it is also what tokens and signatures tolerate on the way in.
_MOST_SKEW_S = 2.0


async def check(where: CliSettings) -> list[Finding]:
    try:
        async with connect.store(where) as store:
            return [finding async for finding in _database(store, where)]
    except DependencyDown as error:
        remedy = "is it running, as a replica set? LISTENINGPOST_MONGO__URI says where to look"
        return [Finding("MongoDB", State.WRONG, str(error), remedy)]


async def _database(store: Store, where: CliSettings) -> AsyncIterator[Finding]:
    server = await store.describe()
    version = str(server["version"])
    new_enough = tuple(int(part) for part in version.split(".")[:2]) >= _OLDEST_MONGODB
    yield Finding(
        "MongoDB",
        State.OK if new_enough else State.WRONG,
        f"version {version}",
        "" if new_enough else "use 6.0 or newer",
    )
    if server["replica_set"]:
        yield Finding("replica set", State.OK, str(server["replica_set"]))
    else:
        yield Finding("replica set", State.WRONG, "none", "start mongod with --replSet, then rs.initiate()")
    yield _clock(server["local_time"])
    yield schema_finding(await SchemaStore(store).found())
    absent = await missing(store)
    if absent:
        yield Finding(
            "indexes", State.WRONG, f"missing: {', '.join(absent)}", "start any service: it makes them"
        )
    else:
        yield Finding("indexes", State.OK, "all there")
    held = await DeliveryStore(store).held.count()
    if held:
        detail = f"{held:,} are held since a restore: they may have been told before"
        yield Finding("notices", State.WARNING, detail, "listeningpost held   # shows, sends, drops them")
    current = await DirectoryStore(store).in_force()
    if current is None:
        yield Finding("directory", State.WRONG, "no workspace is applied", "listeningpost apply company.yaml")
    else:
        yield directory_finding(current)
        yield _secrets(current, where)


def directory_finding(current: Version) -> Finding:
    detail = f"version {current.number} by {current.author}: {current.workspace.name}"
    if current.passed_over:
        unknown = f"{detail}; unknown to this release: {', '.join(current.passed_over)}"
        return Finding("directory", State.WARNING, unknown, "go on with the newer release that wrote it")
    return Finding("directory", State.OK, detail)


def schema_finding(found: Schema) -> Finding:
    match found.standing:
        case Standing.OURS:
            return Finding("schema", State.OK, str(found))
        case Standing.OLDER:
            return Finding("schema", State.WRONG, f"{found}, older than {SCHEMA}", "start any service")
        case Standing.NEWER:
            detail = f"{found}, newer than {SCHEMA}: this release was rolled back to, and works with it"
            return Finding("schema", State.WARNING, detail, "go on with that release when it is mended")
        case Standing.UNKNOWN:
            return Finding("schema", State.WRONG, f"{found}, too new for {SCHEMA}", REMEDY)


def _clock(theirs: datetime) -> Finding:
    skew_s = abs((clock.now() - theirs).total_seconds())
    if skew_s > _MOST_SKEW_S:
        detail = f"this machine and the database differ by {skew_s:.1f} s"
        return Finding("clock", State.WRONG, detail, "run an NTP client on both")
    return Finding("clock", State.OK, f"within {skew_s:.1f} s of the database")


def _secrets(version: Version, where: CliSettings) -> Finding:
    absent = []
    references = secrets_named(version.workspace)
    for reference in references:
        try:
            where.secret(reference)
        except ConfigurationError as error:
            absent.append(str(error))
    if absent:
        return Finding(
            "secrets",
            State.WRONG,
            "; ".join(absent),
            "as said: ingest needs those of webhooks, the notifier those of receivers",
        )
    return Finding("secrets", State.OK, f"{len(references)} referenced, none missing here")
