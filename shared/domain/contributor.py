"""Who spoke in confidence: what is sealed when a piece comes in, and opened only to answer."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from shared.events.feedback import ReplyTo


class Contributor(BaseModel):
    """What the event leaves out: the person can be answered, and nobody else can tell who it is."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    person_id: str
    name: str = ""
    kind: str
    address: str
    reply_to: ReplyTo | None = None
    external_id: str | None = None
    thread_id: str | None = None
    url: str | None = None
