"""The parts of a MIME message: what is read, what is attached, what was forwarded. Never raises.

Sources: RFC 2045-2047, 2231 (MIME), 2387 (related), 3676 (format=flowed).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from email.message import Message
from typing import Final

from services.ingest.domain.mail.charset import decode
from services.ingest.domain.mail.headers import attempt, first_words, raw_values
from services.ingest.domain.mail.html import Quotes, to_text
from services.ingest.domain.submission import File

MAX_DEPTH = 12
_MAX_NAME_CHARS = 150
#: They prove something about the message and say nothing.
_SIGNATURES: Final = frozenset(
    {"application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature"}
)
_ENCODED_NAME = re.compile(r"name\s*=\s*((?:=\?[^?\s]{1,40}\?[bq]\?[^?\s]{0,1000}\?=\s*)+)", re.IGNORECASE)
_ENDING = re.compile("[a-z0-9]{1,10}")
_PATH = re.compile(r"^.*[\\/]", re.DOTALL)
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]+")


@dataclass(frozen=True, slots=True)
class Words:
    """One text of a message: all of it, and without what its markup shows to be quoted."""

    full: str
    own: str
    is_html: bool


@dataclass(slots=True)
class Parts:
    """`left_out` counts the parts beyond the limits: they are told of, not passed over in silence."""

    max_parts: int
    quotes: Quotes
    words: list[Words] = field(default_factory=list)
    files: list[File] = field(default_factory=list)
    forwarded: list[Message] = field(default_factory=list)
    left_out: int = 0
    seen: int = 0


def sort(message: Message, max_parts: int, quotes: Quotes = Quotes.MARKED) -> Parts:
    """Every part of `message` in its place, in order. `quotes` are those its own words are `without`."""
    parts = Parts(max_parts, quotes)
    _sort(message, parts, depth=0)
    return parts


def _sort(part: Message, parts: Parts, depth: int) -> None:
    parts.seen += 1
    if parts.seen > parts.max_parts or depth > MAX_DEPTH:
        parts.left_out += 1
        return
    media_type = attempt(part.get_content_type, "text/plain").lower()
    children = _children(part)
    if media_type == "message/rfc822" and children:
        parts.forwarded.append(children[0])
    elif media_type == "multipart/alternative" and children:
        _sort_alternative(children, parts, depth)
    elif media_type.startswith("multipart/") and children:
        for child in children:
            _sort(child, parts, depth + 1)
    else:
        _sort_leaf(part, media_type, parts)


def _children(part: Message) -> list[Message]:
    payload: object = attempt(part.get_payload, None)
    return [child for child in payload if isinstance(child, Message)] if isinstance(payload, list) else []


def _sort_alternative(children: list[Message], parts: Parts, depth: int) -> None:
    """The same words in several forms: the plain one, unless it is empty or says less than half of the other.

    (Newsletters and some phones send a plain part that only says to look at the other one.)
    """
    tried = Parts(parts.max_parts, parts.quotes, seen=parts.seen)
    for child in children:
        _sort(child, tried, depth + 1)
    plain = [words for words in tried.words if not words.is_html]
    html = [words for words in tried.words if words.is_html]
    chosen = html if _length(plain) * 2 < _length(html) and _length(plain) < _SHORT else plain
    parts.words += chosen or html
    parts.files += tried.files
    parts.forwarded += tried.forwarded
    parts.left_out += tried.left_out
    parts.seen = tried.seen


_SHORT = 200


def _length(words: list[Words]) -> int:
    return sum(len(text.full) for text in words)


def _sort_leaf(part: Message, media_type: str, parts: Parts) -> None:
    if media_type.startswith("multipart/"):
        # It promises parts and has none: what is there is what was meant.
        media_type = "text/plain"
    content = _content(part)
    name = _name(part)
    attached = attempt(part.get_content_disposition, None) == "attachment"
    if media_type in ("text/plain", "text/html") and not attached and not name:
        words = _words(part, content, parts.quotes if media_type == "text/html" else None)
        if words.full:
            parts.words.append(words)
    elif content and media_type not in _SIGNATURES:
        parts.files.append(File(name or _default_name(media_type, len(parts.files)), media_type, content))


def _content(part: Message) -> bytes:
    """The bytes of a part, its transfer encoding undone as far as it can be."""
    payload = attempt(lambda: part.get_payload(decode=True), None)
    if isinstance(payload, bytes):
        return payload
    children = _children(part)
    if children:
        # A part that says it is one thing and holds others: what it holds is kept as it came.
        return b"".join(attempt(child.as_bytes, b"") for child in children)
    return str(attempt(part.get_payload, "")).encode("utf-8", "surrogateescape")


def _words(part: Message, content: bytes, quotes: Quotes | None) -> Words:
    """Of HTML without `quotes`; None for plain text."""
    text = decode(content, attempt(part.get_content_charset, None))
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if quotes is not None:
        return Words(to_text(text), to_text(text, without=quotes), is_html=True)
    if str(attempt(lambda: part.get_param("format"), "")).lower() == "flowed":
        delete_space = str(attempt(lambda: part.get_param("delsp"), "")).lower() == "yes"
        text = _unflowed(text, delete_space=delete_space)
    text = text.strip("\n")
    return Words(text, text, is_html=False)


def _unflowed(text: str, *, delete_space: bool) -> str:
    """Lines that end in a space go on in the next one (RFC 3676); quotes do not."""
    joined: list[str] = []
    flowing = False
    for line in text.split("\n"):
        unstuffed = line.removeprefix(" ")
        if flowing and not line.startswith(">"):
            joined[-1] += unstuffed
        else:
            joined.append(unstuffed)
        flowing = line.endswith(" ") and unstuffed != "-- " and not line.startswith(">")
        if flowing and delete_space:
            joined[-1] = joined[-1][:-1]
    return "\n".join(joined)


def _name(part: Message) -> str:
    """The file name without path and control characters, its ending kept; "" when there is none."""
    raw = attempt(lambda: part.get_filename() or "", "") or _unquoted_name(part)
    name = _PATH.sub("", _UNPRINTABLE.sub("", first_words(raw))).strip()
    if len(name) <= _MAX_NAME_CHARS:
        return name
    stem, dot, ending = name.rpartition(".")
    room = _MAX_NAME_CHARS - len(ending) - 1
    return f"{stem[:room]}{dot}{ending}" if dot and room > 0 else name[:_MAX_NAME_CHARS]


def _unquoted_name(part: Message) -> str:
    """An encoded word where only a token or a quoted string may stand: the library drops all parameters."""
    raw = " ".join(raw_values(part, "content-disposition") + raw_values(part, "content-type"))
    found = _ENCODED_NAME.search(raw)
    return found[1] if found else ""


def _default_name(media_type: str, index: int) -> str:
    kind = media_type.partition("/")[2].partition("+")[0]
    return f"part-{index + 1}.{kind if _ENDING.fullmatch(kind) else 'bin'}"
