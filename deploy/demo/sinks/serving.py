"""An ASGI application on a loopback port, for as long as a block runs."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.applications import Starlette

_LOOPBACK = "127.0.0.1"


@asynccontextmanager
async def serving(app: Starlette) -> AsyncIterator[str]:
    """The URL it answers at. The port is bound before anything is started, so nobody else can take it."""
    listener = socket.create_server((_LOOPBACK, 0))
    config = uvicorn.Config(app, lifespan="off", access_log=False, log_config=None)
    server = uvicorn.Server(config)
    # Not `Server.serve`: it takes over the signals, which are the command's.
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup(sockets=[listener])
    running = asyncio.create_task(server.main_loop(), name="sink")
    try:
        yield f"http://{_LOOPBACK}:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await running
        await server.shutdown(sockets=[listener])
