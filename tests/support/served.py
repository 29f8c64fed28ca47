"""A whole service in this process, as its `__main__` wires it, listening on a socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import uvicorn

from shared.component import Component
from shared.errors import DependencyDown
from shared.service import Service
from tests.support.wait import until


@asynccontextmanager
async def served(service: Service) -> AsyncIterator[str]:
    """Its address, once all its components have started; all of it is stopped afterwards."""
    server = uvicorn.Server(
        uvicorn.Config(service.asgi, port=0, loop="none", http="httptools", lifespan="off", log_config=None)
    )
    started: list[Component] = []
    serving: asyncio.Task[None] | None = None
    try:
        for component in service.components:
            await until(partial(_started, component), within_s=20, what=f"{component.name} starts")
            started.append(component)
        server.config.load()
        server.lifespan = server.config.lifespan_class(server.config)
        await server.startup()
        serving = asyncio.create_task(server.main_loop())
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        if serving is not None:
            await serving
            await server.shutdown()
        for component in reversed(started):
            await component.stop()


async def _started(component: Component) -> bool:
    try:
        await component.start()
    except DependencyDown:
        return False
    return True
