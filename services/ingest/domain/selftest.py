"""The mark by which a self-test is known in any door: whoever holds the service token may make one.

It stands in the text, since that is what every sender has: `[listening-post-test mail 1777887000 … …]`. It is
signed (HMAC-SHA256, RFC 2104) with channel, time and nonce, holds for minutes, and makes a piece a test and
nothing else: nobody outside can have their words, or another's, pass as one.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from pydantic import SecretStr

from services.ingest.domain.submission import Submission
from shared.events.feedback import Mode

_BEGIN = "[listening-post-test "
_MARK = re.compile(
    r"\[listening-post-test ([a-z0-9._-]{1,64}) ([0-9]{1,12}) ([0-9a-f]{8,32}) ([0-9a-f]{64})\]"
)
_PURPOSE = b"listening-post self-test "
#: A mail may be held up for a while (greylisting), a clock be wrong.
_HOLDS_S = 600


def mark(token: bytes, channel: str, now: datetime, nonce: str) -> str:
    """What stands in the text of a self-test that comes in by `channel`; `nonce`: 8 to 32 hex digits."""
    moment = int(now.timestamp())
    return f"{_BEGIN}{channel} {moment} {nonce} {_signature(token, channel, moment, nonce)}]"


def as_test(submission: Submission, tokens: Callable[[], Sequence[SecretStr]], now: datetime) -> Submission:
    """`submission` as a test without its mark, if it has one made with one of `tokens`; else as it was.

    Without a token nothing is genuine. Expects the text as it came in. `tokens` is asked when there is a
    mark: to look at the file of a secret takes longer than all other steps that look at a text.
    """
    if _BEGIN not in submission.text:
        return submission
    keys = [token.get_secret_value().encode() for token in tokens() if token.get_secret_value()]
    for found in _MARK.finditer(submission.text):
        channel, moment, nonce, given = found.groups()
        fresh = abs(now.timestamp() - int(moment)) <= _HOLDS_S
        signed = (_signature(key, channel, int(moment), nonce) for key in keys)
        genuine = any(hmac.compare_digest(given, one) for one in signed)
        if genuine and fresh and channel == submission.channel:
            text = submission.text[: found.start()] + submission.text[found.end() :]
            return replace(submission, mode=Mode.TEST, text=text)
    return submission


def _signature(token: bytes, channel: str, moment: int, nonce: str) -> str:
    signed = f"{channel} {moment} {nonce}".encode()
    return hmac.new(_PURPOSE + token, signed, hashlib.sha256).hexdigest()
