"""What each door is and how it goes, for our own tools: open or not, its address, what is missing, counts.

One entry a channel in `DOORS`: a closed channel cannot be asked what would open it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from shutil import disk_usage

from prometheus_client.metrics import MetricWrapperBase

from services.ingest.channels import CHANNELS, Channel
from services.ingest.channels.cloudevents import PATH as CLOUDEVENTS
from services.ingest.channels.imports import MAIL_PATH as IMPORTS
from services.ingest.channels.note_form import NEW as NOTE
from services.ingest.channels.rest import PATH as REST
from services.ingest.channels.slack import PATH as SLACK
from services.ingest.channels.webhook import PATH as WEBHOOK
from services.ingest.channels.zendesk import PATH as ZENDESK
from services.ingest.settings import IngestSettings
from services.ingest.silence import Silences
from services.ingest.spool.spool import Spool
from shared import clock
from shared.errors import ConfigurationError
from shared.internal import Answering
from shared.telemetry.metrics import LAST_HEARD, QUARANTINED, RECEIVED

_KEPT = frozenset({"accepted", "spooled"})


@dataclass(frozen=True, slots=True)
class Door:
    """`address` is given to whoever sends, `needs` are the variables that open it, `then` what comes next."""

    address: Callable[[IngestSettings], str]
    needs: tuple[str, ...] = ()
    then: str = ""


def under(path: str) -> Callable[[IngestSettings], str]:
    """The address of a route of ingest, as people outside reach it where there is a public URL."""

    def address(settings: IngestSettings) -> str:
        http = settings.http
        base = str(settings.public_url) if settings.public_url else f"http://{http.host}:{http.port}"
        return base.rstrip("/") + path

    return address


def _mail(settings: IngestSettings) -> str:
    mail = settings.ingest.mail
    boxes = ", ".join(
        f"{box.address}{' (in confidence)' if box.confidential else ''}" for box in mail.mailboxes
    )
    return f"smtp://{mail.host}:{mail.port} for {boxes}" if mail.port is not None else ""


DOORS: dict[str, Door] = {
    "cloudevents": Door(under(CLOUDEVENTS), (), "senders use an API key, as for rest"),
    "imports": Door(
        under(IMPORTS), (), "`listeningpost import FILE` with a key of the scope feedback:import"
    ),
    "mail": Door(
        _mail,
        ("LISTENINGPOST_INGEST__MAIL__PORT", "LISTENINGPOST_INGEST__MAIL__MAILBOXES"),
        "have your mail server hand on what comes for the mailboxes",
    ),
    "note": Door(under(NOTE), (), "`listeningpost note link PERSON` makes each colleague's link to the form"),
    "rest": Door(under(REST), (), "`listeningpost keys create NAME` makes a key"),
    "slack": Door(
        under(SLACK),
        ("LISTENINGPOST_INGEST__SLACK__SIGNING_SECRET",),
        "give the address to the Slack app, under Event Subscriptions",
    ),
    "webhook": Door(
        under(f"{WEBHOOK}/ID"),
        (),
        "declare each under `webhooks` in the workspace; its ID is the last part of the address",
    ),
    "zendesk": Door(
        under(ZENDESK),
        ("LISTENINGPOST_INGEST__ZENDESK__SIGNING_SECRETS",),
        "give the address to a webhook in Zendesk's Admin Center, subscribed to ticket events",
    ),
}


def doors(
    settings: IngestSettings, channels: Sequence[Channel], spool: Spool, silences: Silences
) -> Answering:
    """`GET /internal/doors`: every channel, who is silent, and how full the spool is.

    Counts are since the start; what is said of sources is what all replicas heard.
    """
    started_at = clock.now()
    running = {channel.name: channel for channel in channels}

    async def answer(_: bytes) -> object:
        return {
            "started_at": started_at.isoformat(),
            "doors": [_door(name, settings, running.get(name)) for name in CHANNELS],
            "sources": silences.report(),
            "spool": {
                "records": spool.records,
                "bytes": spool.size_bytes,
                "quota_bytes": settings.ingest.spool.quota_bytes,
                "oldest_s": spool.oldest_s,
                "free_disk_bytes": _free(settings.ingest.spool.directory),
            },
        }

    return answer


def _free(folder: Path) -> int | None:
    try:
        return disk_usage(folder).free
    except OSError:
        return None


def _door(name: str, settings: IngestSettings, channel: Channel | None) -> dict[str, object]:
    door = DOORS.get(name)
    return {
        "name": name,
        "open": channel is not None,
        "problem": channel.problem() if channel is not None else _why_closed(name, settings),
        "address": door.address(settings) if door is not None and channel is not None else "",
        "needs": list(door.needs) if door is not None and channel is None else [],
        "then": door.then if door is not None else "",
        **_counts(name),
    }


def _why_closed(name: str, settings: IngestSettings) -> str:
    """One that is configured by halves stops ingest, so this is a door that nobody configured."""
    try:
        CHANNELS[name].is_open(settings)
    except ConfigurationError as error:
        return str(error)
    return "not configured"


def _counts(name: str) -> dict[str, object]:
    by_status: dict[str, int] = {}
    for labels, value in _samples(RECEIVED, name):
        by_status[labels["status"]] = by_status.get(labels["status"], 0) + int(value)
    heard_s = max((value for _, value in _samples(LAST_HEARD, name)), default=0.0)
    return {
        "kept": sum(count for status, count in by_status.items() if status in _KEPT),
        "refused": sum(count for status, count in by_status.items() if status not in _KEPT),
        "quarantined": int(sum(value for _, value in _samples(QUARANTINED, name))),
        "last_heard_at": datetime.fromtimestamp(heard_s, UTC).isoformat() if heard_s else None,
    }


def _samples(metric: MetricWrapperBase, channel: str) -> list[tuple[Mapping[str, str], float]]:
    return [
        (sample.labels, sample.value)
        for family in metric.collect()
        for sample in family.samples
        if not sample.name.endswith("_created") and sample.labels.get("channel") == channel
    ]
