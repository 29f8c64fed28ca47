"""Which headers are kept beside a body that no mapping fitted: what says what it is, and no secret."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from shared.domain.webhook import Verification

_PLAIN: Final = frozenset(
    {"content-type", "content-language", "user-agent", "webhook-id", "webhook-timestamp", "x-event-key"}
)
#: Beside the plain ones, senders' own: the kind of event, the version, the delivery.
_OWN: Final = ("x-", "ce-")
_SECRET: Final = re.compile(
    r"sig|hmac|token|secret|auth|key|pass|pwd|cookie|cred|session|csrf|xsrf|jwt|digest|hash|sha\d|otp|bearer"
)
#: Whose machine it came over, which is nobody's business here.
_ON_THE_WAY: Final = re.compile(r"^x-(forwarded|real-ip|client-ip|cluster|envoy|amzn|azure|cf|remote)")
_MOST_HEADERS = 30
_MOST_CHARS = 200


def kept_headers(
    headers: Iterable[tuple[str, str]], verify: Verification, secrets: Sequence[str]
) -> Mapping[str, str]:
    """By lower-case name, in their order; the first of equal names.

    Never the signature or the token of the declaration, or what looks by its name like one, whatever the
    sender calls it; and none in which one of `secrets` stands.
    """
    proof = {name.lower() for name in (verify.header, "authorization") if name}
    kept: dict[str, str] = {}
    for name, value in ((name.lower(), value) for name, value in headers):
        if len(kept) == _MOST_HEADERS:
            break
        told = name in _PLAIN or (
            name.startswith(_OWN) and not _SECRET.search(name) and not _ON_THE_WAY.search(name)
        )
        if told and name not in proof and not any(secret in value for secret in secrets):
            kept.setdefault(name[:_MOST_CHARS], value[:_MOST_CHARS])
    return kept
