"""The doors feedback comes in by. One file a channel, one line each in `CHANNELS`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from fastapi import APIRouter

from services.ingest.channels.cloudevents import CloudEventsChannel
from services.ingest.channels.imports import ImportsChannel
from services.ingest.channels.mail import MailChannel
from services.ingest.channels.note import NoteChannel
from services.ingest.channels.rest import RestChannel
from services.ingest.channels.slack import SlackChannel
from services.ingest.channels.webhook import WebhookChannel
from services.ingest.channels.zendesk import ZendeskChannel
from services.ingest.context import ChannelContext
from services.ingest.settings import IngestSettings


class Channel(Protocol):
    """A door. It verifies and parses, hands over to `context.pipeline`, and answers once that has returned.

    It is a Component as well. `router` is None for one that listens for itself; `body_limits` has the largest
    body for each path of the router. `is_open` is False for a channel nobody configured, and raises
    ConfigurationError for one configured by halves. A channel raises InvalidInput and DependencyDown, which
    `http.py` answers.
    """

    name: str
    router: APIRouter | None
    body_limits: Mapping[str, int]

    def __init__(self, context: ChannelContext) -> None: ...

    @classmethod
    def is_open(cls, settings: IngestSettings) -> bool: ...

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    def problem(self) -> str | None: ...


CHANNELS: dict[str, type[Channel]] = {
    "cloudevents": CloudEventsChannel,
    "imports": ImportsChannel,
    "mail": MailChannel,
    "note": NoteChannel,
    "rest": RestChannel,
    "slack": SlackChannel,
    "webhook": WebhookChannel,
    "zendesk": ZendeskChannel,
}


def open_channels(context: ChannelContext) -> list[Channel]:
    """Every channel that is configured, ready to be started."""
    return [channel(context) for channel in CHANNELS.values() if channel.is_open(context.settings)]
