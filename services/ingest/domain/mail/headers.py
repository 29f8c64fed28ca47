"""The headers of a message, from anybody: every accessor here answers, whatever the header holds.

The standard library raises on some real headers (AttributeError on a group without end, LookupError on an
unknown charset, and others), so each reading is wrapped, and falls back to the raw value.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.header import decode_header, make_header
from email.headerregistry import AddressHeader
from email.message import Message
from email.policy import EmailPolicy
from email.utils import getaddresses, parsedate_to_datetime
from typing import TypeVar

#: More of one header is not read: the parser's time grows with its square, and no honest one is as long.
MAX_HEADER_CHARS = 8_192
#: What a hostile header has been seen to raise in the standard library (CPython 3.11, 1,307 nasty messages).
ERRORS = (ValueError, TypeError, AttributeError, LookupError, AssertionError, RecursionError)

#: The library takes a year below 100 for one of two digits, so 0000 for 2000.
_YEAR_ZERO = re.compile(r"[A-Za-z]{3}\s+0\d{3}\s")
_MESSAGE_ID = re.compile(r"<\s*([^<>\s]{1,500})\s*>")
_ADDRESS = re.compile(r"[^\s@<>,;:\"()\[\]\\\x00-\x1f]+@[^\s@<>,;:\"()\\\x00-\x1f]+")
_Read = TypeVar("_Read")
_Otherwise = TypeVar("_Otherwise")


class BoundedPolicy(EmailPolicy):
    """`email.policy.default`, with headers cut to `MAX_HEADER_CHARS`."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        return name, value[:MAX_HEADER_CHARS]


@dataclass(frozen=True, slots=True)
class Mailbox:
    """`address` is lower case in its domain only, as the local part belongs to whoever runs the domain."""

    address: str
    name: str = ""

    @property
    def local(self) -> str:
        return self.address.rpartition("@")[0].lower()

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2].lower()


def attempt(read: Callable[[], _Read], otherwise: _Otherwise) -> _Read | _Otherwise:
    """What `read` returns, or `otherwise` when the standard library cannot cope."""
    try:
        return read()
    except ERRORS:
        return otherwise


def raw_values(message: Message, name: str) -> list[str]:
    """All values of a header as they came, unfolded, in order."""
    wanted = name.lower()
    return [" ".join(str(value).split()) for key, value in message.raw_items() if key.lower() == wanted]


def first(message: Message, name: str) -> str:
    """The first value of a header with encoded words decoded; "" when there is none."""
    decoded = attempt(lambda: str(message.get(name) or ""), "")
    if decoded:
        return " ".join(decoded.split())
    raw = raw_values(message, name)
    return attempt(lambda: str(make_header(decode_header(raw[0]))), raw[0]) if raw else ""


def mailboxes(message: Message, name: str) -> tuple[Mailbox, ...]:
    """Everybody in an address header that has an address, groups included."""
    nobody: tuple[Mailbox, ...] = ()
    found = attempt(lambda: _parsed(message, name), nobody)
    return found or attempt(lambda: _scanned(message, name), nobody)


def _parsed(message: Message, name: str) -> tuple[Mailbox, ...]:
    parsed = [
        _mailbox(address.addr_spec, address.display_name)
        for header in message.get_all(name, [])
        if isinstance(header, AddressHeader)
        for address in header.addresses
    ]
    return tuple(mailbox for mailbox in parsed if mailbox is not None)


def _scanned(message: Message, name: str) -> tuple[Mailbox, ...]:
    pairs = getaddresses(raw_values(message, name))
    found = [_mailbox(address, first_words(display)) for display, address in pairs]
    return tuple(mailbox for mailbox in found if mailbox is not None)


def first_words(raw: str) -> str:
    """`raw` with its encoded words decoded (RFC 2047), where they can be."""
    return attempt(lambda: str(make_header(decode_header(raw))), raw) if "=?" in raw else raw


def _mailbox(address: str, name: str) -> Mailbox | None:
    match = _ADDRESS.fullmatch(address.strip())
    if match is None:
        return None
    local, _, domain = match[0].rpartition("@")
    return Mailbox(f"{local}@{domain.lower().rstrip('.')}", " ".join(name.split()))


def delivered_to(message: Message) -> tuple[str, ...]:
    """Whose mailbox it was put into, as mail servers note it: of use where the envelope is gone."""
    names = ("delivered-to", "x-original-to", "envelope-to", "x-envelope-to")
    return tuple(
        found[0]
        for name in names
        for value in raw_values(message, name)
        for found in _ADDRESS.finditer(value)
    )


def message_ids(message: Message, name: str) -> tuple[str, ...]:
    """The ids in a header, with their angle brackets, in order, each once."""
    text = " ".join(raw_values(message, name))
    return tuple(dict.fromkeys(f"<{found}>" for found in _MESSAGE_ID.findall(text)))


def date(message: Message) -> datetime | None:
    """The Date header; None when there is none or it is no date. Whether it can be true is judged later."""
    raw = raw_values(message, "date")
    if raw and _YEAR_ZERO.search(raw[0]):
        return None
    moment = attempt(lambda: parsedate_to_datetime(raw[0]), None) if raw else None
    if moment is None or moment.tzinfo is not None:
        return moment
    # "-0000" is UTC somewhere unknown (RFC 5322 section 3.3); the library returns it without a zone.
    return moment.replace(tzinfo=UTC)
