"""Spans that a test can look at: made as in production, kept in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shared.settings import TracingSettings
from shared.telemetry import tracing


@dataclass(frozen=True, slots=True)
class Recorded:
    exporter: InMemorySpanExporter

    @property
    def spans(self) -> Sequence[ReadableSpan]:
        return self.exporter.get_finished_spans()

    def named(self, name: str) -> list[ReadableSpan]:
        return [span for span in self.spans if span.name == name]

    def of(self, trace_id: int) -> list[ReadableSpan]:
        return [span for span in self.spans if span.context.trace_id == trace_id]


@contextmanager
def recorded(sample_ratio: float = 1.0) -> Iterator[Recorded]:
    """Tracing is on in this process, for all services in it."""
    exporter = InMemorySpanExporter()
    settings = TracingSettings(sample_ratio=sample_ratio)
    used = tracing.provider(settings, "tests", lambda: SimpleSpanProcessor(exporter))
    tracing.install(used)
    try:
        yield Recorded(exporter)
    finally:
        tracing.install(None)
        used.shutdown()


def chain(spans: Sequence[ReadableSpan], last: ReadableSpan) -> list[str]:
    """The names from the first ancestor that was recorded down to `last`."""
    by_id = {span.context.span_id: span for span in spans}
    names = [last.name]
    while last.parent is not None and last.parent.span_id in by_id:
        last = by_id[last.parent.span_id]
        names.insert(0, last.name)
    return names
