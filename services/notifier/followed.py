"""Deliveries that are followed: each attempt is a span in the trace of its piece."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from opentelemetry.trace import SpanKind

from shared.domain.delivery import Delivery
from shared.telemetry import tracing


@contextmanager
def followed(row: Delivery, receiver: str) -> Iterator[Delivery]:
    """The row with the span under which it is sent: that is the trace a machine on the other side is told."""
    told: tracing.Attributes = {
        "listeningpost.receiver": receiver,
        "listeningpost.purpose": row.purpose.value,
    }
    with tracing.spans("deliver", SpanKind.CLIENT, [row.trace], told) as (trace,):
        yield row if trace == row.trace else replace(row, trace=trace)
