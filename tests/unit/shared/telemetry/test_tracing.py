"""Spans without a network: off they cost nothing, on they sample as asked and tell no words."""

from __future__ import annotations

import asyncio
import gzip

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind, StatusCode

from shared.settings import TracingSettings
from shared.telemetry import trace, tracing
from tests.support.http_server import HttpServer, Reply, Request
from tests.support.traces import recorded

SAMPLED = trace.start()
QUIET = SAMPLED.removesuffix("01") + "00"


def test_off_what_was_given_goes_on_as_it_is() -> None:
    parents = [SAMPLED, None]
    with tracing.spans("step", SpanKind.PRODUCER, parents) as carried:
        assert carried is parents
    with tracing.batch("step", parents, {}) as carried:
        assert carried is parents
    with tracing.phase("step", lambda: pytest.fail("nobody asks")):
        assert not tracing.is_on()


def test_without_an_endpoint_nothing_begins() -> None:
    traces = tracing.begin(TracingSettings(), "tests")
    assert not tracing.is_on()
    traces.end()


def test_with_one_it_begins_and_ends() -> None:
    settings = TracingSettings.model_validate({"otlp_endpoint": "http://127.0.0.1:9", "timeout_s": 0.2})
    traces = tracing.begin(settings, "tests")
    assert tracing.is_on()
    traces.end()
    assert not tracing.is_on()


async def test_what_was_recorded_is_sent_by_the_end() -> None:
    asked: list[Request] = []

    async def collect(request: Request) -> Reply:
        asked.append(request)
        return Reply()

    async with HttpServer(collect) as collector:
        endpoint = TracingSettings.model_validate({"otlp_endpoint": collector.url, "sample_ratio": 1.0})
        traces = tracing.begin(endpoint, "tests")
        with tracing.spans("a step of ours", SpanKind.SERVER, [None]):
            pass
        await asyncio.to_thread(traces.end)
    (sent,) = asked
    assert (sent.method, sent.path) == ("POST", "/v1/traces")
    exported = ExportTraceServiceRequest.FromString(_body(sent))
    (resource,) = exported.resource_spans
    named = {attribute.key: attribute.value.string_value for attribute in resource.resource.attributes}
    assert named["service.name"] == "tests"
    assert [span.name for span in resource.scope_spans[0].spans] == ["a step of ours"]


def _body(request: Request) -> bytes:
    zipped = request.headers.get("content-encoding") == "gzip"
    return gzip.decompress(request.body) if zipped else request.body


def test_a_child_has_its_parent_s_trace_and_what_is_not_sampled_has_none() -> None:
    with recorded() as traces:
        with tracing.spans("step", SpanKind.PRODUCER, [SAMPLED, QUIET]) as (followed, quiet):
            assert trace.trace_id(followed or "") == trace.trace_id(SAMPLED)
            assert quiet == QUIET
        (span,) = traces.spans
    assert span.parent is not None
    assert f"{span.parent.span_id:016x}" == SAMPLED.split("-")[2]


@pytest.mark.parametrize(("ratio", "count"), [(0.0, 0), (1.0, 50)])
def test_of_traces_that_begin_here_a_share_is_recorded(ratio: float, count: int) -> None:
    with recorded(ratio) as traces:
        for _ in range(50):
            with (
                tracing.spans("door", SpanKind.SERVER, [None]) as begun,
                tracing.spans("below", SpanKind.CLIENT, begun),
            ):
                pass
        assert len(traces.named("door")) == len(traces.named("below")) == count


def test_of_an_error_the_type_is_told() -> None:
    def failed() -> ReadableSpan:
        with recorded() as traces:
            with (
                pytest.raises(ValueError, match="private"),
                tracing.spans("step", SpanKind.CLIENT, [SAMPLED]),
            ):
                raise ValueError("private words")
            (span,) = traces.spans
            return span

    span = failed()
    assert span.status.status_code is StatusCode.ERROR
    assert dict(span.attributes or {}) == {"error.type": "ValueError"}
    assert not span.events
    assert span.status.description is None


def test_what_is_no_traceparent_begins_a_trace() -> None:
    with recorded() as traces:
        request = tracing.Request("POST", "00-nonsense")
        request.answered("/v1/feedback", 202)
        (span,) = traces.spans
    assert span.parent is None
    assert span.name == "POST /v1/feedback"
