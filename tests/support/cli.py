"""The command in this process, against a database of its own."""

from __future__ import annotations

import io
import json
import logging
import os
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from unittest import mock

import structlog

from deploy.cli.main import main
from shared.settings import MongoSettings
from shared.store.connection import Store

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:  # noqa: ANN401 - whatever was printed
        return json.loads(self.out)


@dataclass(frozen=True, slots=True)
class Cli:
    """`home` is where its files lie. Not for use inside a running event loop: commands bring their own."""

    mongo: MongoSettings
    home: Path

    def __call__(self, *arguments: str, text: str = "", env: dict[str, str] | None = None) -> Done:
        variables = {
            "LISTENINGPOST_MONGO__URI": self.mongo.uri.get_secret_value(),
            "LISTENINGPOST_MONGO__DATABASE": self.mongo.database,
            "NO_COLOR": "1",
            **(env or {}),
        }
        others = {name: value for name, value in os.environ.items() if not name.startswith("LISTENINGPOST_")}
        out, err = _Stream(), _Stream()
        with (
            logging_as_it_was(),
            mock.patch.dict(os.environ, others | variables, clear=True),
            mock.patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode()))),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            try:
                main(list(arguments))
            except SystemExit as done:
                code = int(done.code or 0)
        return Done(code, out.text, err.text)

    def write(self, name: str, text: str) -> str:
        file = self.home / name
        file.write_text(text, encoding="utf-8")
        return str(file)

    async def with_store(self, use: Callable[[Store], Coroutine[Any, Any, Result]]) -> Result:
        store = Store(self.mongo)
        await store.start()
        try:
            return await use(store)
        finally:
            await store.stop()


@contextmanager
def logging_as_it_was() -> Iterator[None]:
    """The command hushes the logs of its process, which here is that of all other tests as well."""
    root, configured = logging.getLogger(), structlog.get_config()
    handlers, level = root.handlers[:], root.level
    try:
        yield
    finally:
        structlog.configure(**configured)
        root.handlers[:] = handlers
        root.setLevel(level)


class _Stream(io.TextIOWrapper):
    """A stdout with a `buffer`, as the real one has."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", write_through=True)

    @property
    def text(self) -> str:
        self.flush()
        raw = self.buffer
        assert isinstance(raw, io.BytesIO)
        return raw.getvalue().decode()
