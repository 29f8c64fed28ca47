"""What every event shares: frozen, closed models and the CloudEvents attributes that travel as headers.

Sources: CloudEvents 1.0 Kafka protocol binding (binary content mode), W3C Trace Context.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from pydantic import AwareDatetime, BaseModel, ConfigDict

#: One event on the wire, value and all. Kafka's default broker limit is 1 MiB with headers and framing.
MAX_EVENT_BYTES = 900_000


class Wire(BaseModel):
    """A value inside an event. Unknown fields are ignored, so that a newer producer does no harm."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Event(Wire):
    """An event. `type` names it in the `ce_type` header; a breaking change is a new type and topic."""

    type: ClassVar[str]

    @property
    def event_id(self) -> str:
        """Equal for a redelivery of the same fact, different for every other fact."""
        raise NotImplementedError

    @property
    def key(self) -> str:
        """The Kafka key: events of one key keep their order."""
        raise NotImplementedError

    @property
    def happened_at(self) -> datetime:
        """When the fact became true: the `ce_time` header."""
        raise NotImplementedError


Moment = AwareDatetime
