"""A body of a declared webhook that no mapping fitted. It is tried again by whoever reads the topic."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar

from pydantic import Field

from shared import ids
from shared.events.base import Event, Moment

_ROOM_BYTES = 800_000


class HookUnmapped(Event):
    """Topic `hook.unmapped.v1`. `body` is what came in, whole: as text, or in base64 where it is no text."""

    type: ClassVar[str] = "listeningpost.hook.unmapped.v1"

    hook: str = Field(description="id of the webhook in the workspace")
    body: str
    base64: bool = False
    only: tuple[int, ...] = Field(default=(), description="which of its items; empty: all of them")
    trace: str | None = None
    received_at: Moment
    headers: dict[str, str] = Field(
        default_factory=dict, description="of the request, by lower-case name; never what proves who sent it"
    )

    @property
    def raw(self) -> bytes:
        """The body as it came in. Raises ValueError for what is no base64 and says it is."""
        return base64.b64decode(self.body) if self.base64 else self.body.encode()

    @property
    def event_id(self) -> str:
        which = ",".join(map(str, self.only))
        return ids.event_id(self.type, self.hook, ids.digest(self.body.encode()), which)

    @property
    def key(self) -> str:
        return self.hook

    @property
    def happened_at(self) -> datetime:
        return self.received_at


def unmapped(
    hook: str, raw: bytes, trace: str | None, received_at: datetime, headers: Mapping[str, str]
) -> HookUnmapped:
    """The event for a body of up to 600,000 bytes, which then is within the limit of events."""
    try:
        body, encoded = raw.decode(), False
        # Quotes and control characters take up to six bytes in JSON.
        encoded = len(raw) * 6 > _ROOM_BYTES or "\0" in body
    except UnicodeDecodeError:
        body, encoded = "", True
    if encoded:
        body = base64.b64encode(raw).decode()
    return HookUnmapped(
        hook=hook,
        body=body,
        base64=encoded,
        trace=trace,
        received_at=received_at,
        headers=dict(headers),
    )
