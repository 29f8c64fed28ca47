"""The output of several processes as one readable stream: `service | line`."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable
from itertools import cycle
from typing import Final, TextIO

LineSink = Callable[[str, str], None]
"""Takes the name of a process and one line of it. Called from several threads."""

_RESET: Final = "\x1b[0m"
_NAME_COLOURS: Final = ("\x1b[36m", "\x1b[35m", "\x1b[34m", "\x1b[32m", "\x1b[33m")
_LEVEL_COLOURS: Final = {"warning": "\x1b[33m", "error": "\x1b[31m", "critical": "\x1b[31m"}
# Said already by the columns, or of no use to a person watching.
_SILENT_KEYS: Final = frozenset({"event", "level", "timestamp", "service", "logger", "exception", "stack"})
_MONGOD_LEVELS: Final = {"E": "error", "F": "critical"}
_TIME_CHARS: Final = slice(11, 19)


class Merger:
    """A LineSink that prints. `colour=None` asks the stream and NO_COLOR."""

    def __init__(
        self, stream: TextIO | None = None, *, colour: bool | None = None, name_chars: int = 10
    ) -> None:
        self._stream = sys.stdout if stream is None else stream
        self._colour = _wants_colour(self._stream) if colour is None else colour
        self._name_chars = name_chars
        self._colours = cycle(_NAME_COLOURS)
        self._colour_of: dict[str, str] = {}
        self._lock = threading.Lock()
        self._reader_is_gone = False

    def __call__(self, name: str, line: str) -> None:
        shown = shorten(line)
        if shown is None or self._reader_is_gone:
            return
        level, text = shown
        with self._lock:
            try:
                for part in text.split("\n"):
                    self._stream.write(f"{self._painted_name(name)} | {self._painted(level, part)}\n")
                self._stream.flush()
            except (BrokenPipeError, ValueError):
                # The reader went away (`| head`). The children must go on being read, or they would block.
                self._reader_is_gone = True

    def _painted_name(self, name: str) -> str:
        padded = name.ljust(self._name_chars)
        if not self._colour:
            return padded
        if name not in self._colour_of:
            self._colour_of[name] = next(self._colours)
        return f"{self._colour_of[name]}{padded}{_RESET}"

    def _painted(self, level: str, text: str) -> str:
        colour = _LEVEL_COLOURS.get(level) if self._colour else None
        return f"{colour}{text}{_RESET}" if colour else text


def shorten(line: str) -> tuple[str, str] | None:
    """(level, text for a person), or None for what only fills the screen. Text may have several lines.

    A structlog line becomes `time level event key=value …`, its traceback follows on lines of its own. Of
    mongod's own JSON only errors are shown. What is not JSON passes through.
    """
    fields = _json_object(line)
    if fields is None:
        return "info", _printable(line)
    if "event" in fields:
        return _structlog(fields)
    if "msg" in fields and "s" in fields:
        return _mongod(fields)
    return "info", _printable(line)


def _json_object(line: str) -> dict[str, object] | None:
    if not line.startswith("{"):
        return None
    try:
        fields = json.loads(line)
    except ValueError:
        return None
    return fields if isinstance(fields, dict) else None


def _structlog(fields: dict[str, object]) -> tuple[str, str]:
    level = str(fields.get("level", "info"))
    time = str(fields.get("timestamp", ""))[_TIME_CHARS]
    pairs = [f"{key}={_value(value)}" for key, value in fields.items() if key not in _SILENT_KEYS]
    text = " ".join([time, level.ljust(7), _printable(str(fields["event"])), *pairs]).strip()
    traceback = "".join(
        f"\n    {_printable(part)}"
        for key in ("stack", "exception")
        for part in str(fields.get(key) or "").splitlines()
    )
    return level, text + traceback


def _mongod(fields: dict[str, object]) -> tuple[str, str] | None:
    level = _MONGOD_LEVELS.get(str(fields["s"]))
    if level is None:
        return None
    return level, f"{_printable(str(fields['msg']))} {_value(fields.get('attr', ''))}".strip()


def _value(value: object) -> str:
    """Bare where it is one plain word, else JSON, in which no control character survives."""
    if isinstance(value, str) and value.isprintable() and not set(value) & set(' "='):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)


def _printable(text: str) -> str:
    """Without what would steer the terminal: an escape sequence in a log line is not ours."""
    return "".join(char if char.isprintable() or char == "\t" else "�" for char in text)


def _wants_colour(stream: TextIO) -> bool:
    return stream.isatty() and not os.environ.get("NO_COLOR")
