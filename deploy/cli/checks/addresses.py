"""Where it looks."""

from __future__ import annotations

from deploy.cli.checks.finding import Finding, State
from deploy.cli.settings import CliSettings, origins


async def check(where: CliSettings) -> list[Finding]:
    """Where it looks, and why there: half a set of variables means the defaults for the other half."""
    uri = where.mongo.uri.get_secret_value()
    used = {
        "LISTENINGPOST_KAFKA__BOOTSTRAP_SERVERS": where.kafka.bootstrap_servers,
        # Without what may stand before the @: a name and a password.
        "LISTENINGPOST_MONGO__URI": uri.partition("://")[2].rpartition("@")[2],
        "LISTENINGPOST_CLI__INGEST_URL": str(where.cli.ingest_url),
    }
    origin = origins()
    said = [
        f"{address} ({origin.get(name, f'default; {name} is not set')})" for name, address in used.items()
    ]
    return [Finding("looking at", State.NOTE, " · ".join(said))]
