"""Text as everybody after us may rely on it: NFC, LF, no control characters, always encodable as UTF-8.

Sources: Unicode Standard Annex 15 (NFC, and the Stream-Safe Text Format's limit of 30 combining marks).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from itertools import groupby
from typing import Any
from urllib.parse import urlsplit

from services.ingest.domain.submission import Claim, Submission
from shared.events.feedback import Hints, Rating, ReplyTo

MAX_ID_CHARS = 512
MAX_NAME_CHARS = 200
MAX_TITLE_CHARS = 300
MAX_URL_CHARS = 2_048
_MAX_KIND_CHARS = 40
_MAX_MARKS = 30

_SURROGATE = re.compile("[\ud800-\udfff]")
_LINE_END = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
#: Cc without tab and line feed, and the byte order mark.
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ufeff]")
_BLANK_LINES = re.compile("\n{3,}")
#: Marks that only turn the reading direction: in a name they make "exe.gpj" out of something else.
_DIRECTION = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def normalise(submission: Submission) -> Submission:
    """Every string in it is clean; ids, names, title and URL are one line of bounded length. Idempotent.

    A title that had to be cut stands in full at the head of the text. An URL that is not http(s) is dropped:
    it would become a link on a page.
    """
    title = clean_line(submission.title) if submission.title else ""
    text = clean_text(submission.text)
    if len(title) > MAX_TITLE_CHARS:
        title, text = cut(title, MAX_TITLE_CHARS), f"{title}\n\n{text}".rstrip()
    changed: dict[str, Any] = {}
    if title != submission.title:
        changed["title"] = title
    if text != submission.text:
        changed["text"] = text
    for name, clean in _CLEANERS:
        value = getattr(submission, name)
        if value is not None and (cleaned := clean(value)) is not value:
            changed[name] = cleaned
    return replace(submission, **changed) if changed else submission


def clean_text(text: str) -> str:
    """`text` in NFC with LF line ends, no trailing spaces, at most one empty line in a row."""
    # Most texts are printable but for their line ends, which is known in a tenth of the time.
    if not text.replace("\n", " ").isprintable():
        text = _encodable(text)
        text = _LINE_END.sub("\n", text)
        text = _CONTROL.sub("", text)
    if not text.isascii() and not unicodedata.is_normalized("NFC", text):
        text = unicodedata.normalize("NFC", _fewer_marks(text))
    if "\n" in text:
        text = "\n".join([line.rstrip() for line in text.split("\n")])
        text = _BLANK_LINES.sub("\n\n", text)
    return text.strip()


def clean_line(text: str, max_chars: int | None = None) -> str:
    """`text` clean and on one line, cut to `max_chars` with an ellipsis."""
    plain = text.isascii() and text.isprintable()
    line = text if plain else _DIRECTION.sub("", clean_text(text))
    if not plain or "  " in line or line[:1] == " " or line[-1:] == " ":
        line = " ".join(line.split())
    return line if max_chars is None else cut(line, max_chars)


def cut(line: str, max_chars: int) -> str:
    """At most `max_chars` characters of `line`; the last is an ellipsis when some are missing."""
    return line if len(line) <= max_chars else line[: max_chars - 1].rstrip() + "…"


def _encodable(text: str) -> str:
    """Surrogate pairs joined, lone surrogates replaced: they cannot be written as UTF-8."""
    if _SURROGATE.search(text) is None:
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _fewer_marks(text: str) -> str:
    """No run of more than 30 combining marks: to sort them, NFC takes time that grows with the square."""
    kept: list[str] = []
    for marks, run in groupby(text, key=lambda char: unicodedata.combining(char) != 0):
        characters = "".join(run)
        kept.append(characters[:_MAX_MARKS] if marks else characters)
    return "".join(kept)


def _bounded_id(value: str | None) -> str | None:
    return (clean_line(value, MAX_ID_CHARS) or None) if value else None


def _safe_url(url: str | None) -> str | None:
    if not url:
        return None
    url = clean_line(url)
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in {"http", "https"} and parts.netloc and len(url) <= MAX_URL_CHARS else None


def _clean_claim(claim: Claim) -> Claim:
    if not claim.address and not claim.name:
        return claim
    address = clean_line(claim.address, MAX_ID_CHARS)
    name = clean_line(claim.name, MAX_NAME_CHARS)
    if (address, name) == (claim.address, claim.name):
        return claim
    return replace(claim, address=address, name=name)


def _clean_rating(rating: Rating) -> Rating:
    return rating.model_copy(update={"kind": clean_line(rating.kind, _MAX_KIND_CHARS)})


def _clean_hints(hints: Hints) -> Hints:
    if hints.product is None and hints.touchpoint is None and hints.brief is None:
        return hints
    return Hints(
        product=_bounded_id(hints.product),
        touchpoint=_bounded_id(hints.touchpoint),
        brief=_bounded_id(hints.brief),
    )


def _clean_reply_to(reply_to: ReplyTo) -> ReplyTo:
    return ReplyTo(
        receiver=clean_line(reply_to.receiver, MAX_ID_CHARS),
        address=clean_line(reply_to.address, MAX_ID_CHARS),
        thread=_bounded_id(reply_to.thread),
        auto_generated=reply_to.auto_generated,
    )


#: What each field needs beside title and text. Most of them are empty in most pieces, and then not asked for.
_CLEANERS: tuple[tuple[str, Callable[[Any], Any]], ...] = (
    ("external_id", _bounded_id),
    ("thread_id", _bounded_id),
    ("batch", _bounded_id),
    ("url", _safe_url),
    ("reported_by", _clean_claim),
    ("spoken_for", _clean_claim),
    ("hints", _clean_hints),
    ("rating", _clean_rating),
    ("reply_to", _clean_reply_to),
)
