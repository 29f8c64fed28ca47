"""Signed webhooks: one verifier, a profile per sender. Always over the raw bytes, never over what was parsed.

Sources: docs.slack.dev "Verifying requests from Slack"; docs.github.com "Validating webhook deliveries".
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pydantic import SecretStr

from shared.errors import InvalidInput, Reason


@dataclass(frozen=True, slots=True)
class Profile:
    """How a sender signs: HMAC-SHA256 in hex over `base`, with {timestamp} filled in, and the body.

    `timestamp_header` is None where the sender signs no time: a recorded request then stays valid for ever,
    and whoever uses the profile must know each delivery again by its id.
    """

    signature_header: str
    prefix: str
    base: str = ""
    timestamp_header: str | None = None


SLACK: Final = Profile(
    signature_header="x-slack-signature",
    prefix="v0=",
    base="v0:{timestamp}:",
    timestamp_header="x-slack-request-timestamp",
)
GITHUB: Final = Profile(signature_header="x-hub-signature-256", prefix="sha256=")

#: More digits are no time in seconds, and int() of very many is slow.
_MAX_DIGITS = 12


def verify(
    profile: Profile,
    secrets: Sequence[SecretStr],
    headers: Mapping[str, str],
    body: bytes,
    *,
    now: datetime,
    window_s: int = 300,
) -> None:
    """The body is what a holder of one of `secrets` signed, within `window_s` of `now` on either side.

    `headers` has lower-case names. Several secrets are those of a rotation. Raises InvalidInput BAD_SIGNATURE
    or STALE_TIMESTAMP. The time is checked on both sides: with only the past one, a request signed for next
    year could be played again until then.
    """
    timestamp = ""
    if profile.timestamp_header is not None:
        timestamp = headers.get(profile.timestamp_header, "")
        _check_time(timestamp, now, window_s)
    given = headers.get(profile.signature_header, "").encode("latin-1", "replace")
    signed = profile.base.format(timestamp=timestamp).encode() + body
    # All of them are compared, so that the time taken does not tell which one fits.
    fits = [
        hmac.compare_digest(_signature(profile, secret.get_secret_value(), signed), given)
        for secret in secrets
    ]
    if not any(fits):
        raise InvalidInput(
            Reason.BAD_SIGNATURE,
            f"{profile.signature_header} is missing or does not fit the body",
            remedy="Sign the raw body with the secret that is configured here.",
        )


def _signature(profile: Profile, secret: str, signed: bytes) -> bytes:
    return (profile.prefix + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()).encode()


def _check_time(timestamp: str, now: datetime, window_s: int) -> None:
    plausible = timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= _MAX_DIGITS
    if not plausible or abs(now.timestamp() - int(timestamp)) > window_s:
        raise InvalidInput(
            Reason.STALE_TIMESTAMP,
            f"the timestamp is missing, no number, or more than {window_s} s from now",
            remedy="Set the clock, and send the request when it is signed.",
        )
