"""Whether a page of our own sent a request: no other site may act in the name of whoever reads it."""

from __future__ import annotations

from urllib.parse import urlsplit

from pydantic import HttpUrl
from starlette.requests import Request


def is_own(request: Request, public_url: HttpUrl | None) -> bool:
    """`public_url`: where browsers reach us, if it is not where they seem to.

    A browser that tells neither site nor origin is too old to be safe.
    Source: W3C Fetch Metadata; RFC 6454 section 7.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = urlsplit(request.headers.get("origin", "")).netloc
    public = urlsplit(str(public_url)).netloc if public_url is not None else None
    return bool(origin) and origin in {request.headers.get("host"), public}
