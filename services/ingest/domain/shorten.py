"""Text that fits into an event; the whole of it goes along as an attachment."""

from __future__ import annotations

from collections.abc import Sequence

from services.ingest.domain.submission import File
from shared.events.feedback import MAX_TEXT_CHARS
from shared.value import value

#: The classified event quotes up to twice as much again as evidence, and must stay within 900 kB.
MAX_TEXT_BYTES = 300_000
FULL_TEXT_NAME = "full-text.txt"


@value
class Shortened:
    """`full_text` is set when, and only when, `text` is not all of it."""

    text: str
    full_text: File | None

    @property
    def truncated(self) -> bool:
        return self.full_text is not None


def shorten(text: str, notes: Sequence[str], max_file_bytes: int) -> Shortened:
    """At most `MAX_TEXT_CHARS` characters and `MAX_TEXT_BYTES` of `text`, then the `notes`, each on its line.

    The attachment holds all of `text`, or `max_file_bytes` of it.
    """
    tail = "\n\n" + "\n".join(notes) if notes else ""
    fitting = _fit(text, MAX_TEXT_CHARS - len(tail), MAX_TEXT_BYTES - len(tail.encode()))
    if len(fitting) == len(text):
        return Shortened((text + tail).strip(), None)
    whole = text.encode()[:max_file_bytes].decode("utf-8", "ignore").encode()
    return Shortened((fitting.rstrip() + tail).strip(), File(FULL_TEXT_NAME, "text/plain", whole))


def _fit(text: str, max_chars: int, max_bytes: int) -> str:
    if len(text) <= max_chars and len(text) * 4 <= max_bytes:
        return text
    text = text[:max_chars]
    encoded = text.encode()
    return text if len(encoded) <= max_bytes else encoded[:max_bytes].decode("utf-8", "ignore")
