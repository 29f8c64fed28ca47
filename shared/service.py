"""Runs any service: settings → logging → health → dependencies with retry → consume → drain and stop.

On SIGTERM or SIGINT a service stops taking, finishes what is in hand, commits and closes, within
`STOP_WITHIN_S`.
"""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib import metadata

import structlog
import uvicorn
import uvloop
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from shared import clock
from shared.component import Component
from shared.errors import ConfigurationError, DependencyDown
from shared.http.measured import Measured
from shared.internal import open_internal
from shared.settings import AnySettings, CommonSettings, load
from shared.telemetry import logging as telemetry_logging
from shared.telemetry import tracing
from shared.telemetry.loop_delay import measure_delay
from shared.telemetry.metrics import BUILD, READY

STOP_WITHIN_S = 10.0
#: Longer than a load balancer keeps an idle connection (60 s is usual): who closes first must be the one who
#: sends, or a request that is just under way is lost with the connection.
_KEEP_ALIVE_S = 75
_RETRY_FIRST_S = 0.2
_RETRY_MOST_S = 5.0
#: A batch makes thousands of objects that are gone when it is done, and hardly a cycle. To look for cycles
#: every 700 objects, Python's default, took a fifth of the processor time of ingest [measured].
_GC_EVERY_OBJECTS = 50_000
_log = structlog.get_logger()


@dataclass
class Service:
    """A named list of components, in starting order, and the HTTP application they share.

    The service is ready in spite of what is wrong with components it `tolerates`: ingest goes on without
    Kafka, since the spool takes what comes.
    """

    name: str
    settings: CommonSettings
    components: Sequence[Component]
    tolerates: frozenset[str] = frozenset()
    #: FastAPI where there is an API to describe; importing it takes a tenth of a second of processor time.
    http: Starlette = field(default_factory=Starlette)
    started: list[Component] = field(default_factory=list)
    #: What a component that cannot start yet waits for, by its name.
    awaited: dict[str, str] = field(default_factory=dict)
    stopping: bool = False
    not_stopped: list[Component] = field(default_factory=list)

    @property
    def asgi(self) -> Measured:
        """What is served: `http`, measured."""
        return Measured(self.http)

    def is_ready(self) -> bool:
        return set(self.problems()) <= self.tolerates

    def problems(self) -> dict[str, str]:
        """What is wrong, by component."""
        waiting = [component for component in self.components if component not in self.started]
        found = {component.name: self.awaited.get(component.name, "starting") for component in waiting}
        for component in self.started:
            problem = component.problem()
            if problem is not None:
                found[component.name] = problem
        if self.stopping:
            found["service"] = "stopping"
        return found


def run(create_app: Callable[[AnySettings], Service], settings_class: type[AnySettings]) -> None:
    """The body of every `__main__`. Exits 0 after a clean stop, 1 after another, 2 configured wrongly."""
    try:
        settings = load(settings_class)
        service = create_app(settings)
        _let_collect()
    except ConfigurationError as error:
        sys.stderr.write(f"cannot start: {error}\n")
        raise SystemExit(2) from None
    telemetry_logging.configure(settings.log, service.name)
    try:
        uvloop.run(serve(service))
    except ConfigurationError as error:
        sys.stderr.write(f"cannot start: {error}\n")
        raise SystemExit(2) from None
    if service.not_stopped:
        raise SystemExit(1)


async def serve(service: Service) -> None:
    """Start everything, wait for a signal, stop everything."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    traces = tracing.begin(service.settings.tracing, service.name)
    _add_health(service)
    _open_status(service)
    server = uvicorn.Server(_uvicorn_config(service))
    serving = asyncio.create_task(_serve_http(server), name="http")
    starting = asyncio.create_task(_start_all(service), name="start")
    stopped = asyncio.create_task(stop.wait(), name="stop")
    measuring = asyncio.create_task(measure_delay(), name="measure delay")
    try:
        await asyncio.wait({serving, starting, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            starting.result()
            await asyncio.wait({serving, stopped}, return_when=asyncio.FIRST_COMPLETED)
            await _drain(service, serving)
    finally:
        service.stopping = True
        starting.cancel()
        stopped.cancel()
        measuring.cancel()
        await _stop_all(service, server, serving)
        await asyncio.to_thread(traces.end)


async def _drain(service: Service, serving: asyncio.Task[None]) -> None:
    """A proxy sees in /readyz that it must send elsewhere, while whatever it still sends here is answered."""
    service.stopping = True
    drain_s = service.settings.http.drain_s
    if drain_s and not serving.done():
        _log.info("service_draining", drain_s=drain_s)
        await asyncio.wait({serving}, timeout=drain_s)


def _uvicorn_config(service: Service) -> uvicorn.Config:
    return uvicorn.Config(
        service.asgi,
        host=service.settings.http.host,
        port=service.settings.http.port,
        loop="none",
        http="httptools",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=int(STOP_WITHIN_S / 2),
    )


async def _serve_http(server: uvicorn.Server) -> None:
    # `Server.serve` would install signal handlers of its own and exit the process on a port that is taken.
    server.config.load()
    server.lifespan = server.config.lifespan_class(server.config)
    try:
        await server.startup()
    except SystemExit:
        address = f"{server.config.host}:{server.config.port}"
        msg = f"cannot listen on {address} (LISTENINGPOST_HTTP__PORT): it is in use"
        raise ConfigurationError(msg) from None
    await server.main_loop()
    await server.shutdown()


async def _start_all(service: Service) -> None:
    for component in service.components:
        await _start(service, component)
        service.started.append(component)
    _spare_collector()
    _log.info("service_ready", components=[component.name for component in service.components])


def _let_collect() -> None:
    """`__main__` has stopped the garbage collector while everything was imported."""
    gc.set_threshold(_GC_EVERY_OBJECTS, 20, 20)
    gc.enable()


def _spare_collector() -> None:
    """What is there when everything has started stays: from now on the garbage collector passes it over."""
    gc.collect()
    gc.freeze()


async def _start(service: Service, component: Component) -> None:
    delay_s = _RETRY_FIRST_S
    while True:
        try:
            await component.start()
        except DependencyDown as error:
            service.awaited[component.name] = str(error)
            _log.warning(
                "dependency_awaited",
                component=component.name,
                dependency=error.dependency,
                cause=str(error),
                retry_s=delay_s,
            )
            await asyncio.sleep(delay_s)
            delay_s = min(delay_s * 2, _RETRY_MOST_S)
        else:
            return


async def _stop_all(service: Service, server: uvicorn.Server, serving: asyncio.Task[None]) -> None:
    _log.info("service_stopping")
    server.should_exit = True
    try:
        async with asyncio.timeout(STOP_WITHIN_S):
            # The doors close first, so that nothing new comes in while the rest finishes what it holds.
            if not serving.done():
                await serving
            for component in reversed(service.components):
                await _stop(service, component)
    except TimeoutError:
        _log.error("service_stop_timed_out", limit_s=STOP_WITHIN_S)
    if serving.done() and not serving.cancelled() and serving.exception() is not None:
        serving.result()
    _log.info("service_stopped")


async def _stop(service: Service, component: Component) -> None:
    """One that breaks is noted: the others have to finish what they hold all the same."""
    (error,) = await asyncio.gather(component.stop(), return_exceptions=True)
    if error is not None:
        service.not_stopped.append(component)
        _log.error("component_not_stopped", component=component.name, exc_info=error)


def _open_status(service: Service) -> None:
    """`GET /internal/status`: which release runs, since when, and what time it is there."""
    started_at = clock.now()

    async def status(_: bytes) -> object:
        return {
            "service": service.name,
            "version": metadata.version("listeningpost"),
            "started_at": started_at.isoformat(),
            "now": clock.now().isoformat(),
        }

    open_internal(service.http, service.settings.internal_tokens, {"GET /internal/status": status})


def _add_health(service: Service) -> None:
    """Three open endpoints: an orchestrator holds no key, and they carry neither feedback nor secrets."""
    BUILD.labels(service.name, metadata.version("listeningpost")).set(1)
    READY.set_function(lambda: float(service.is_ready()))

    async def healthz(_: Request) -> Response:
        return JSONResponse({"service": service.name, "status": "alive"})

    async def readyz(_: Request) -> Response:
        problems = service.problems()
        ready = service.is_ready()
        status = ("degraded" if problems else "ready") if ready else "not ready"
        body = {"service": service.name, "status": status, "problems": problems}
        return JSONResponse(body, 200 if ready else 503)

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    service.http.add_route("/healthz", healthz)
    service.http.add_route("/readyz", readyz)
    service.http.add_route("/metrics", metrics)
