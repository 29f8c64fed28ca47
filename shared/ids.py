"""Identities that come out the same whoever computes them, so that a retry is not a second thing."""

from __future__ import annotations

import hashlib
import secrets
from uuid import UUID, uuid4

_SEPARATOR = "\x1f"
#: The digit that holds the variant, by the one that the hash has there.
_VARIANT = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))


def _namespace(name: str) -> hashlib._Hash:
    """A hash with the namespace in it, to be copied: to make one costs more than to hash a name."""
    return hashlib.sha1(UUID(name).bytes, usedforsecurity=False)


_FEEDBACK = _namespace("6a3f4f0e-6b1c-5b0a-9a54-0f6f5f7f1c01")
_EVENT = _namespace("6a3f4f0e-6b1c-5b0a-9a54-0f6f5f7f1c02")
_NOTICE = _namespace("6a3f4f0e-6b1c-5b0a-9a54-0f6f5f7f1c03")
_DELIVERY = _namespace("6a3f4f0e-6b1c-5b0a-9a54-0f6f5f7f1c04")
_PERSON = _namespace("6a3f4f0e-6b1c-5b0a-9a54-0f6f5f7f1c05")


def _named(namespace: hashlib._Hash, *parts: str) -> str:
    """UUIDv5 (RFC 9562, 5.5) as `uuid.uuid5` makes it, at a third of the price: every event has several."""
    name = namespace.copy()
    name.update(_SEPARATOR.join(parts).encode())
    text = name.hexdigest()
    return f"{text[:8]}-{text[8:12]}-5{text[13:16]}-{_VARIANT[text[16]]}{text[17:20]}-{text[20:32]}"


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


#: What the id of somebody anonymous begins with, and no other: it sorts behind letters and digits.
ANONYMOUS = "~"


def anonymous_id(feedback_id: str) -> str:
    """Whoever said one piece, of whom nothing is known: two anonymous pieces are two voices, not one."""
    return ANONYMOUS + feedback_id


def fresh_id() -> str:
    """An id for what has no identity of its own yet."""
    return str(uuid4())


def token(size_bytes: int = 24) -> str:
    """An unguessable URL-safe token."""
    return secrets.token_urlsafe(size_bytes)


def digest(*parts: bytes) -> str:
    """SHA-256 over length-prefixed parts, so that ("ab", "c") and ("a", "bc") differ."""
    return hashlib.sha256(b"".join([len(part).to_bytes(8, "big") + part for part in parts])).hexdigest()
