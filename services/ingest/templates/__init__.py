"""The pages of the form for notes, from the templates beside this file; everything in them is escaped."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

_FOLDER = Path(__file__).parent
#: The files that pages refer to, with their media types.
ASSETS: Final[Mapping[str, str]] = {
    "note.css": "text/css; charset=utf-8",
    "open.js": "text/javascript; charset=utf-8",
}


class Pages:
    """Compiled on first use, then kept."""

    def __init__(self) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(_FOLDER),
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def render(self, name: str, **values: object) -> str:
        return self._environment.get_template(f"{name}.html.j2").render(values)

    def asset(self, name: str) -> bytes:
        """One of `ASSETS`."""
        return (_FOLDER / name).read_bytes()
