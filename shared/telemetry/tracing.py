"""Spans: the way of a piece, step by step, for whoever collects traces. Off unless the settings say where to.

One tracer a process, as with logs and metrics. What crosses a border is a traceparent, a string: from a
request into its pieces, in the headers of Kafka's records, in the ledger, on to whom we call. While it is off
each function here is one comparison, and what it was given goes on as it is.

Attributes say which door, topic and receiver: never a text, an address, a token or the message of an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING, TypeAlias

from opentelemetry.context import Context
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    Tracer,
    TracerProvider,
    set_span_in_context,
)

from shared.settings import TracingSettings
from shared.telemetry.trace import parts

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor
    from opentelemetry.sdk.trace import TracerProvider as SdkProvider

Attributes: TypeAlias = dict[str, str | int]
Parents: TypeAlias = Sequence[str | None]
#: What the SDK keeps of one span.
_MOST_LINKS = 128
_NOTHING: nullcontext[None] = nullcontext()
_tracer: Tracer | None = None


def provider(
    settings: TracingSettings, service: str, processor: Callable[[], SpanProcessor] | None = None
) -> SdkProvider:
    """What records the spans of `service` and sends them to the endpoint, or gives them to `processor`."""
    # Here, because it takes 20 MB that nobody needs while nothing is traced.
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider as SdkProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased  # noqa: PLC0415

    resource = Resource(
        {
            "service.namespace": "listeningpost",
            "service.name": service,
            "service.version": metadata.version("listeningpost"),
        }
    )
    sampler = ParentBased(TraceIdRatioBased(settings.sample_ratio))
    made = SdkProvider(resource=resource, sampler=sampler, shutdown_on_exit=False)
    made.add_span_processor(processor() if processor is not None else _exporting(settings))
    return made


def _exporting(settings: TracingSettings) -> SpanProcessor:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    endpoint = f"{str(settings.otlp_endpoint).rstrip('/')}/v1/traces"
    return BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint, timeout=settings.timeout_s))


def install(used: TracerProvider | None) -> None:
    """From now on spans are made by it; by nobody, where it is None."""
    global _tracer  # noqa: PLW0603 - a process has one tracer
    _tracer = used.get_tracer("listeningpost") if used is not None else None


@dataclass(frozen=True, slots=True)
class Traces:
    """What is on its way to the collector, until `end`."""

    used: SdkProvider | None

    def end(self) -> None:
        """What was gathered is sent, as far as the collector takes it in time."""
        install(None)
        if self.used is not None:
            self.used.shutdown()


def begin(settings: TracingSettings, service: str) -> Traces:
    """Spans are made and sent, if the settings say where to."""
    used = provider(settings, service) if settings.otlp_endpoint is not None else None
    install(used)
    return Traces(used)


def is_on() -> bool:
    return _tracer is not None


def spans(
    name: str, kind: SpanKind, parents: Parents, attributes: Attributes | None = None
) -> AbstractContextManager[Parents]:
    """Around a step that takes several: a span for each that is sampled; yields what their children hang on.

    One without a parent begins a trace.
    """
    return _several(name, kind, parents, attributes) if _tracer is not None else nullcontext(parents)


def phase(name: str, parents: Callable[[], Parents]) -> AbstractContextManager[object]:
    """The same for a step within the process, on which nothing hangs; off, `parents` is not asked."""
    if _tracer is None:
        return _NOTHING
    return _several(name, SpanKind.INTERNAL, [parent for parent in parents() if parent is not None], None)


@contextmanager
def batch(name: str, parents: Parents, attributes: Attributes) -> Iterator[Parents]:
    """Around a batch of messages: a span of its own that links to them, and one for each in its own trace.

    Source: OpenTelemetry's semantic conventions for messaging, batch processing.
    """
    if _tracer is None:
        yield parents
        return
    wanted = [context for parent in parents if (context := _context(parent)) is not None]
    links = [Link(context) for context in wanted if context.trace_flags.sampled][:_MOST_LINKS]
    if not links:
        yield parents
        return
    size: Attributes = {"messaging.batch.message_count": len(parents)}
    together = _tracer.start_span(f"{name} batch", Context(), SpanKind.CONSUMER, attributes | size, links)
    with _ended(together), _several(name, SpanKind.CONSUMER, parents, attributes, together) as carried:
        yield carried


@contextmanager
def _several(
    name: str, kind: SpanKind, parents: Parents, attributes: Attributes | None, linked: Span | None = None
) -> Iterator[Parents]:
    assert _tracer is not None  # noqa: S101 - whoever calls has looked
    links = [Link(linked.get_span_context())] if linked is not None else []
    carried: list[str | None] = []
    with ExitStack() as open_ones:
        for parent in parents:
            context = _context(parent)
            if context is not None and not context.trace_flags.sampled:
                carried.append(parent)
                continue
            above = set_span_in_context(NonRecordingSpan(context), Context()) if context else Context()
            span = _tracer.start_span(name, above, kind, attributes, links)
            open_ones.enter_context(_ended(span))
            carried.append(traceparent_of(span))
        yield carried


@contextmanager
def _ended(span: Span) -> Iterator[None]:
    """The span ends with the block. Of an error its type is told: its message may hold what people said."""
    try:
        yield
    except BaseException as error:
        span.set_attribute("error.type", type(error).__name__)
        span.set_status(StatusCode.ERROR)
        raise
    finally:
        span.end()


class Request:
    """The span of a request that came in. Its name is known only when it was answered."""

    def __init__(self, method: str, incoming: str | None) -> None:
        assert _tracer is not None  # noqa: S101 - whoever makes one has looked
        context = _context(incoming)
        above = set_span_in_context(NonRecordingSpan(context), Context()) if context else Context()
        self._method = method
        self._span = _tracer.start_span(method, above, SpanKind.SERVER)

    @property
    def traceparent(self) -> str:
        return traceparent_of(self._span)

    def answered(self, route: str, status: int) -> None:
        self._span.update_name(f"{self._method} {route}")
        told: Attributes = {
            "http.request.method": self._method,
            "http.route": route,
            "http.response.status_code": status,
        }
        self._span.set_attributes(told)
        if status >= 500:  # noqa: PLR2004 - HTTP's own number: a fault of ours
            self._span.set_status(StatusCode.ERROR)
        self._span.end()


def traceparent_of(span: Span) -> str:
    context = span.get_span_context()
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags):02x}"


def _context(traceparent: str | None) -> SpanContext | None:
    found = parts(traceparent or "")
    if found is None:
        return None
    trace_id, span_id, flags = found
    return SpanContext(int(trace_id, 16), int(span_id, 16), True, TraceFlags(int(flags, 16)))  # noqa: FBT003 - is_remote
