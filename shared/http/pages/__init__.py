"""What all pages for people share: frame and look, from the files beside this one; all is escaped."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

_FOLDER = Path(__file__).parent
#: The files that pages refer to, with their media types.
_ASSETS: Final[Mapping[str, str]] = {
    "page.css": "text/css; charset=utf-8",
    "open.js": "text/javascript; charset=utf-8",
}
PRIVATE: Final = {
    "cache-control": "no-store",
    # `same-origin`, not `no-referrer`: with that, browsers send `Origin: null` with our own form.
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "content-security-policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
}
#: Of a page a link opens: its one script takes the token out of the address.
OPENED_BY_LINK: Final = {
    **PRIVATE,
    "content-security-policy": f"{PRIVATE['content-security-policy']}; script-src 'self'",
}


class Pages:
    """The templates of `folder`, compiled on first use, then kept. `assets` is the path of their files."""

    def __init__(self, folder: Path, assets: str) -> None:
        self._environment = Environment(
            loader=FileSystemLoader([folder, _FOLDER]),
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals["assets"] = assets

    def answer(
        self, template: str, status: int = 200, /, *, headers: Mapping[str, str] = PRIVATE, **values: object
    ) -> Response:
        page = self._environment.get_template(f"{template}.html.j2").render(values)
        return HTMLResponse(page, status, headers)

    def private(self, response: Response) -> Response:
        """`response` with the headers every page has."""
        response.headers.update(PRIVATE)
        return response

    async def asset(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in _ASSETS:
            raise HTTPException(404)
        headers = {"cache-control": "public, max-age=3600", "x-content-type-options": "nosniff"}
        return Response((_FOLDER / name).read_bytes(), 200, headers, _ASSETS[name])
