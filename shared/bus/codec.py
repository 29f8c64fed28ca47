"""An event as a Kafka record: JSON value, CloudEvents attributes and trace context as headers.

Source: CloudEvents 1.0, Kafka protocol binding, binary content mode: attributes are headers `ce_<name>`, the
data is the value.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import TypeVar

from pydantic import ValidationError

from shared.errors import InvalidInput, PermanentError, Reason
from shared.events.base import MAX_EVENT_BYTES, Event
from shared.telemetry import trace

AnyEvent = TypeVar("AnyEvent", bound=Event)
Headers = Sequence[tuple[str, bytes]]


def encode(
    event: Event, source: str, traceparent: str | None = None
) -> tuple[bytes, bytes, list[tuple[str, bytes]]]:
    """Key, value and headers; raises PermanentError for an event over `MAX_EVENT_BYTES`."""
    # What is not there is left out: a fifth of the bytes of most events, and of the time to read them again.
    value = event.__pydantic_serializer__.to_json(event, exclude_none=True)
    if len(value) > MAX_EVENT_BYTES:
        msg = f"{event.type} of {len(value)} bytes is over the limit of {MAX_EVENT_BYTES}"
        raise PermanentError(Reason.TOO_LARGE, msg)
    headers = [
        ("ce_id", event.event_id.encode()),
        *_common(event.type, source, event.happened_at),
        ("traceparent", (traceparent or trace.start()).encode()),
    ]
    return event.key.encode(), value, headers


@lru_cache(maxsize=16)
def _common(kind: str, source: str, moment: datetime) -> Headers:
    """What the events of a batch have in common."""
    return (
        ("ce_specversion", b"1.0"),
        ("ce_source", source.encode()),
        ("ce_type", kind.encode()),
        ("ce_time", moment.isoformat().encode()),
        ("content-type", b"application/json"),
    )


def decode(cls: type[AnyEvent], value: bytes | None) -> AnyEvent:
    """The event; raises InvalidInput naming the fields that do not fit, without their values."""
    try:
        return cls.model_validate_json(value or b"")
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)
        where = ", ".join(
            sorted({"/".join(str(part) for part in fault["loc"]) or "value" for fault in faults})
        )
        raise InvalidInput(Reason.MALFORMED, f"not a {cls.type}: {where}", field=where) from None


def header(headers: Headers, name: str) -> str:
    """The first header called `name`, empty when it is missing; bytes that are not UTF-8 are escaped."""
    for key, value in headers:
        if key == name:
            return (value or b"").decode("utf-8", "backslashreplace")
    return ""
