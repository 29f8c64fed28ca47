"""Around an HTTP application: how many requests, how they ended, how long they took; and their traces."""

from __future__ import annotations

import time
from collections.abc import Awaitable
from typing import Protocol

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.telemetry import tracing
from shared.telemetry.metrics import HTTP_IN_FLIGHT, HTTP_REQUEST_SECONDS

#: Paths that nobody declared, so that a scanner makes no series of its own.
_UNKNOWN = "unknown"
_NOT_ANSWERED = 500
#: Asked every few seconds, by machines.
_NOT_TRACED = frozenset({"/healthz", "/readyz", "/metrics"})
_TRACEPARENT = b"traceparent"


class _Observed(Protocol):
    def observe(self, amount: float) -> None: ...


class Measured:
    """One observation a request, whatever is in it: 3 µs."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._in_flight = 0
        self._series: dict[tuple[str, int], _Observed] = {}
        HTTP_IN_FLIGHT.set_function(lambda: self._in_flight)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = _NOT_ANSWERED

        def watched(message: Message) -> Awaitable[None]:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            return send(message)

        started = time.perf_counter()
        self._in_flight += 1
        span = None
        if tracing.is_on() and scope["path"] not in _NOT_TRACED:
            span, scope = _traced(scope)
        try:
            await self._app(scope, receive, watched)
        finally:
            self._in_flight -= 1
            route = route_of(scope)
            self._of(route, status // 100).observe(time.perf_counter() - started)
            if span is not None:
                span.answered(route, status)

    def _of(self, route: str, hundreds: int) -> _Observed:
        series = self._series.get((route, hundreds))
        if series is None:
            # All of them: a series that begins with a failure has not grown, by Prometheus' `increase`.
            for each in {2, 4, 5, hundreds}:
                self._series[route, each] = HTTP_REQUEST_SECONDS.labels(route, f"{each}xx")
            series = self._series[route, hundreds]
        return series


def _traced(scope: Scope) -> tuple[tracing.Request, Scope]:
    """Whoever reads the header finds the span of this request: what it makes hangs on that."""
    given = [value for name, value in scope["headers"] if name == _TRACEPARENT]
    incoming = given[0].decode("latin-1") if given else None
    span = tracing.Request(str(scope["method"]), incoming)
    others = [header for header in scope["headers"] if header[0] != _TRACEPARENT]
    return span, {**scope, "headers": [*others, (_TRACEPARENT, span.traceparent.encode())]}


def route_of(scope: Scope) -> str:
    """The template of the path a request went to, after it was answered: ids and tokens are no labels."""
    route = scope.get("route")
    if route is not None:
        return str(route.path)
    return str(scope["path"]) if "endpoint" in scope and not scope.get("path_params") else _UNKNOWN
