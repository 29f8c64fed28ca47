"""The doors of ingest: closed by trouble, a spool that fills, a disk that ends; and what is in quarantine."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from deploy.cli import connect
from deploy.cli.ask import ask
from deploy.cli.channels import silence
from deploy.cli.checks.finding import Finding, State
from deploy.cli.output import Failed
from deploy.cli.settings import CliSettings
from shared import clock
from shared.errors import DependencyDown
from shared.store.quarantine import QuarantineStore

_FULL = 0.8
_FILLING = 0.1
_LITTLE_DISK_BYTES = 1_073_741_824
_MIB = 1_048_576
#: Of that many a day somebody should know; a busy mailbox brings a few out-of-office replies.
_MANY_A_DAY = 200
_DAY = timedelta(days=1)


async def check(where: CliSettings) -> list[Finding]:
    found = await _quarantine(where)
    if where.internal_token is None:
        return found
    try:
        answer = await ask(where, "ingest", "GET /internal/doors")
    except Failed:
        # That ingest does not answer is said by the check of the services.
        return found
    silent = silence_findings(answer["sources"])
    return [*door_findings(answer["doors"]), *silent, *spool_findings(answer["spool"]), *found]


def door_findings(doors: list[Mapping[str, Any]]) -> list[Finding]:
    open_ones = [door["name"] for door in doors if door["open"] and not door["problem"]]
    found = [
        Finding("doors", State.WRONG, f"{door['name']}: {door['problem']}", "look at the log of ingest")
        for door in doors
        if door["open"] and door["problem"]
    ]
    closed = [door["name"] for door in doors if not door["open"]]
    detail = f"open: {', '.join(open_ones)}" + (f"; closed: {', '.join(closed)}" if closed else "")
    if open_ones:
        found.append(Finding("doors", State.OK, detail))
    else:
        found.append(Finding("doors", State.WARNING, detail, "listeningpost channels"))
    return found


def silence_findings(sources: list[Mapping[str, Any]]) -> list[Finding]:
    """Who is silent for longer than they are used to at this hour of the week."""
    remedy = "look whether it still sends, and what its door has refused: listeningpost channels"
    silent = [silence(source) for source in sources if source["is_silent"]]
    return [Finding("silence", State.WARNING, detail, remedy) for detail in silent]


def spool_findings(spool: Mapping[str, Any]) -> list[Finding]:
    """It fills while Kafka or MongoDB is away; full, senders are asked to come again."""
    share = spool["bytes"] / spool["quota_bytes"]
    detail = f"{spool['records']} pieces, {share:.0%} of its room, the oldest {spool['oldest_s']:.0f} s old"
    found = []
    if share >= _FULL:
        remedy = "bring back what is away, or LISTENINGPOST_INGEST__SPOOL__QUOTA_BYTES more room"
        found.append(Finding("spool", State.WRONG, detail, remedy))
    elif share >= _FILLING:
        found.append(Finding("spool", State.WARNING, detail, "bring back what is away: it drains by itself"))
    else:
        found.append(Finding("spool", State.OK, detail if spool["records"] else "empty"))
    free = spool["free_disk_bytes"]
    if free is not None and free < max(_LITTLE_DISK_BYTES, spool["quota_bytes"] - spool["bytes"]):
        may_need = spool["quota_bytes"] / _MIB
        said = f"{free / _MIB:.0f} MiB are free where the spool is, and it may need {may_need:.0f}"
        remedy = "make room, or give LISTENINGPOST_INGEST__SPOOL__QUOTA_BYTES less"
        found.append(Finding("disk", State.WARNING, said, remedy))
    return found


async def _quarantine(where: CliSettings) -> list[Finding]:
    now = clock.now()
    try:
        async with connect.store(where) as store:
            quarantine = QuarantineStore(store)
            today = await quarantine.count(since=now - _DAY)
            week = await quarantine.count(since=now - 8 * _DAY)
    except DependencyDown:
        # That MongoDB does not answer is said by its own check.
        return []
    return [quarantine_finding(today, week - today)]


def quarantine_finding(today: int, week_before: int) -> Finding:
    """Growth: today's against a day's share of the week before."""
    usual = week_before / 7
    detail = f"{today} in the last 24 h, {usual:.1f} a day in the week before"
    if today > _MANY_A_DAY and today > 3 * usual:
        remedy = "`listeningpost quarantine` shows them, with their reasons"
        return Finding("quarantine", State.WARNING, detail, remedy)
    return Finding("quarantine", State.OK, detail)
