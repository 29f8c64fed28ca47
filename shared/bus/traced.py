"""Messages that are followed: whoever handles them finds the span of the handling as their trace."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from shared.bus.codec import Headers
from shared.bus.subscription import Received
from shared.telemetry import tracing

_NAME = "traceparent"


@contextmanager
def traced(topic: str, items: Sequence[Received[Any]]) -> Iterator[Sequence[Received[Any]]]:
    """The items, each with the span under which it is handled, as far as it is sampled."""
    if not tracing.is_on():
        yield items
        return
    told: tracing.Attributes = {"messaging.system": "kafka", "messaging.destination.name": topic}
    with tracing.batch(f"process {topic}", [item.trace for item in items], told) as carried:
        pairs = zip(items, carried, strict=True)
        yield [replace(item, headers=_with(item.headers, trace)) for item, trace in pairs]


def _with(headers: Headers, trace: str | None) -> Headers:
    others = [header for header in headers if header[0] != _NAME]
    return [*others, (_NAME, trace.encode())] if trace is not None else headers
