"""The services: whether they answer, are ready, of one release, and agree on the time."""

from __future__ import annotations

from datetime import datetime
from importlib import metadata

import httpx

from deploy.cli.ask import ask, url_of
from deploy.cli.checks.finding import WITHIN_S, Finding, State
from deploy.cli.output import Failed
from deploy.cli.settings import CliSettings
from shared import clock

NAMES = ("ingest", "classifier", "notifier", "console")
#: As with the database: signatures and leases are safe below it.
_MOST_SKEW_S = 2.0


async def check(where: CliSettings) -> list[Finding]:
    found: list[Finding] = []
    async with httpx.AsyncClient(timeout=WITHIN_S) as client:
        for name in NAMES:
            url = url_of(where, name)
            ready = await _service(client, name, str(url) if url else None)
            found.append(ready)
            if url is not None and ready.state is not State.WRONG and where.internal_token is not None:
                found += await _status(where, name)
    if where.internal_token is None:
        detail = "no LISTENINGPOST_INTERNAL_TOKEN here: doors, spool, releases and clocks are not looked at"
        found.append(Finding("token", State.NOTE, detail, "set it to the value of the services"))
    return found


async def _service(client: httpx.AsyncClient, name: str, url: str | None) -> Finding:
    variable = f"LISTENINGPOST_CLI__{name.upper()}_URL"
    if url is None:
        return Finding(name, State.NOTE, f"not asked: {variable} is not set")
    address = f"{url.rstrip('/')}/readyz"
    try:
        answer = await client.get(address)
    except httpx.TransportError as error:
        detail = f"{address} does not answer ({type(error).__name__})"
        return Finding(name, State.WRONG, detail, f"start it, or set {variable}")
    try:
        report = answer.json()
        theirs = report["service"]
    except (ValueError, KeyError, TypeError):
        theirs = "another program"
        report = {}
    if theirs != name:
        remedy = f"{variable} says where the {name} is; LISTENINGPOST_HTTP__PORT gives it another port"
        return Finding(name, State.WRONG, f"{theirs} answers at {address}, the port is taken", remedy)
    if answer.status_code == httpx.codes.OK:
        return Finding(name, State.OK, f"ready at {url}")
    problems = "; ".join(f"{part}: {text}" for part, text in dict(report.get("problems", {})).items())
    return Finding(
        name, State.WRONG, f"not ready: {problems}", "mend what it names; it goes on by itself then"
    )


async def _status(where: CliSettings, name: str) -> list[Finding]:
    asked_at = clock.now()
    try:
        status = await ask(where, name, "GET /internal/status")
    except Failed as error:
        return [Finding(f"{name} status", State.WRONG, str(error), error.remedy)]
    theirs = datetime.fromisoformat(status["now"])
    return status_findings(name, status["version"], theirs, (asked_at, clock.now()))


def status_findings(
    name: str, version: str, theirs: datetime, between: tuple[datetime, datetime]
) -> list[Finding]:
    """What is wrong with release and clock; their clock was read `between` two times of ours."""
    asked_at, answered_at = between
    found = []
    ours = metadata.version("listeningpost")
    if version != ours:
        detail = f"{name} is release {version}, this command {ours}"
        found.append(Finding("release", State.WRONG, detail, "docker compose up --build --detach"))
    skew_s = max((asked_at - theirs).total_seconds(), (theirs - answered_at).total_seconds(), 0.0)
    if skew_s > _MOST_SKEW_S:
        detail = f"the clock of {name} is {skew_s:.1f} s off this machine's"
        found.append(Finding("clock", State.WRONG, detail, "timedatectl set-ntp true   # on both machines"))
    return found
