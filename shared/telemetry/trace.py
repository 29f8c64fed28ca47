"""W3C Trace Context, carried from the channel through Kafka's headers to the delivery.

Source: https://www.w3.org/TR/trace-context/ (version 00). Only the identity travels;
`tracing.py` makes spans of it.
"""

from __future__ import annotations

import random
import re

_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


def parts(traceparent: str) -> tuple[str, str, str] | None:
    """Its trace, its span and its flags, in hexadecimal; None for what is not a traceparent."""
    if not _TRACEPARENT.fullmatch(traceparent):
        return None
    _, trace, span, flags = traceparent.split("-")
    return trace, span, flags


def start(incoming: str | None = None) -> str:
    """A traceparent: a child of the caller's where it sent a valid one, else a new trace, sampled."""
    if incoming and _TRACEPARENT.fullmatch(incoming):
        _, trace_id, _, flags = incoming.split("-")
        return f"00-{trace_id}-{_random_hex(16)}-{flags}"
    both = _random_hex(48)
    return f"00-{both[:32]}-{both[32:]}-01"


def _random_hex(digits: int) -> str:
    """Ids are to be unique, not secret (section 5 of the recommendation), and every event needs two."""
    return f"{random.getrandbits(4 * digits):0{digits}x}"


def trace_id(traceparent: str) -> str:
    """The 32 hex digits that all parts of one message's way share; empty for what is not a traceparent."""
    return traceparent[3:35] if _TRACEPARENT.fullmatch(traceparent) else ""
