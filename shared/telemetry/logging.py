"""structlog, set up once a process: JSON lines for machines, aligned colour for a terminal.

Event names are short constants; feedback text, addresses and tokens never go into a log.
"""

from __future__ import annotations

import logging
import sys
import traceback

import structlog
from structlog.typing import EventDict

from shared.settings import LogSettings

_FRAMES = 6
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
#: Libraries that speak at INFO of every connection or poll.
_QUIET = ("aiokafka", "pymongo", "faststream", "httpx", "httpcore", "mail.log", "uvicorn.access")


def _without_message(_: object, __: str, event: EventDict) -> EventDict:
    """An exception as its type and place: its message and local variables may hold feedback text."""
    exc_info = event.pop("exc_info", None)
    error = (
        sys.exc_info()[1] if exc_info is True else exc_info[1] if isinstance(exc_info, tuple) else exc_info
    )
    if isinstance(error, BaseException):
        frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
        event["error"] = type(error).__name__
        event["at"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    return event


def _first_line(_: object, __: str, event: EventDict) -> EventDict:
    """A task nobody waited for is shown below the message, and with it what its exception says."""
    event["event"] = str(event["event"]).partition("\n")[0]
    return event


def configure(settings: LogSettings, service: str) -> None:
    """Route structlog and the standard library's loggers to stdout in one format, bound to `service`."""
    level = _LEVELS[settings.level]
    to_terminal = settings.format == "console" or (settings.format == "auto" and sys.stdout.isatty())
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer() if to_terminal else structlog.processors.JSONRenderer()
    )
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _without_message,
    ]
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(sys.stdout),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name, _first_line],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(service=service)
