"""The token of one form: made with the reader's credential, so no other site can make one."""

from __future__ import annotations

import hashlib
import hmac
import re

_FORM = re.compile(r"([A-Za-z0-9_-]{16,64})\.([0-9a-f]{64})")


def seal(nonce: str, credential: str) -> str:
    """`nonce` (URL-safe, 16 to 64 characters) as a token only the bearer of `credential` can have."""
    return f"{nonce}.{_mark(nonce, credential)}"


def opened(token: str, credential: str) -> str | None:
    """The nonce of a token that was made with this credential, else None."""
    form = _FORM.fullmatch(token)
    if form is None or not hmac.compare_digest(form[2], _mark(form[1], credential)):
        return None
    return form[1]


def _mark(nonce: str, credential: str) -> str:
    return hmac.new(credential.encode(), f"note form\x1f{nonce}".encode(), hashlib.sha256).hexdigest()
