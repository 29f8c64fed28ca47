"""Identities that come out the same whoever computes them, so that a retry is not a second thing."""

from __future__ import annotations

import hashlib
import secrets
from uuid import UUID, uuid4

# As bytes: `UUID.bytes` works them out anew each time, which takes as long as the hash.
_FEEDBACK = UUID("6a3f4f0e-6b1c-5b0a-9a54-0f6f5f7f1c01").bytes
_EVENT = UUID("6a3f4f0e-6b1c-5b0a-9a54-0f6f5f7f1c02").bytes
_NOTICE = UUID("6a3f4f0e-6b1c-5b0a-9a54-0f6f5f7f1c03").bytes
_DELIVERY = UUID("6a3f4f0e-6b1c-5b0a-9a54-0f6f5f7f1c04").bytes
_PERSON = UUID("6a3f4f0e-6b1c-5b0a-9a54-0f6f5f7f1c05").bytes
_SEPARATOR = "\x1f"


def _named(namespace: bytes, *parts: str) -> str:
    """UUIDv5 (RFC 9562, 5.5) as `uuid.uuid5` makes it, at half the price: every event has several."""
    name = _SEPARATOR.join(parts).encode()
    raw = bytearray(hashlib.sha1(namespace + name, usedforsecurity=False).digest()[:16])
    raw[6] = raw[6] & 0x0F | 0x50
    raw[8] = raw[8] & 0x3F | 0x80
    text = raw.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def feedback_id(channel: str, source: str, external_id: str) -> str:
    """One piece, whether it comes by push, poll or import. `source` is the instance (workspace, mailbox)."""
    return _named(_FEEDBACK, channel, source, external_id)


def event_id(*parts: str) -> str:
    """The id of an event that a redelivery must repeat."""
    return _named(_EVENT, *parts)


def notice_id(subject: str, purpose: str) -> str:
    """`subject` is a feedback_id or a group window; `purpose` what the notice is for."""
    return _named(_NOTICE, subject, purpose)


def delivery_id(notice: str, recipient: str) -> str:
    """One row in the ledger: a notice and whom it goes to."""
    return _named(_DELIVERY, notice, recipient)


def stranger_id(kind: str, address: str) -> str:
    """The person behind an address that the directory does not know."""
    return _named(_PERSON, kind, address.strip().lower())


def fresh_id() -> str:
    """An id for what has no identity of its own yet."""
    return str(uuid4())


def token(size_bytes: int = 24) -> str:
    """An unguessable URL-safe token."""
    return secrets.token_urlsafe(size_bytes)


def digest(*parts: bytes) -> str:
    """SHA-256 over length-prefixed parts, so that ("ab", "c") and ("a", "bc") differ."""
    prefixed = [piece for part in parts for piece in (len(part).to_bytes(8, "big"), part)]
    return hashlib.sha256(b"".join(prefixed)).hexdigest()
