"""Signed webhooks: one verifier, a profile per sender. Always over the raw bytes, never over what was parsed.

Sources: docs.slack.dev "Verifying requests from Slack"; docs.github.com "Validating webhook deliveries"; the
specification of Standard Webhooks (standardwebhooks.com); developer.zendesk.com "Verifying webhooks".
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from pydantic import SecretStr

from shared.errors import ConfigurationError, InvalidInput, Reason


@dataclass(frozen=True, slots=True)
class Profile:
    """How a sender signs: an HMAC over `base`, the body, and `tail`, with {timestamp} and {id} filled in.

    `timestamp_header` is None where the sender signs no time: a recorded request then stays valid for ever,
    and whoever uses the profile must know each delivery again by its id. `several`: the header is a list
    divided by spaces, of which one has to fit. `key_prefix`: the key is what follows it in the secret, in
    base64; a secret without it is the key itself. `clock`: the timestamp is in seconds or milliseconds since
    1970, or ISO 8601.
    """

    signature_header: str
    prefix: str = ""
    base: str = ""
    tail: str = ""
    timestamp_header: str | None = None
    id_header: str | None = None
    encoding: Literal["hex", "base64"] = "hex"
    digest: Literal["sha256", "sha1"] = "sha256"
    several: bool = False
    key_prefix: str | None = None
    clock: Literal["seconds", "milliseconds", "iso"] = "seconds"


SLACK: Final = Profile(
    signature_header="x-slack-signature",
    prefix="v0=",
    base="v0:{timestamp}:",
    timestamp_header="x-slack-request-timestamp",
)
GITHUB: Final = Profile(signature_header="x-hub-signature-256", prefix="sha256=")
STANDARD_WEBHOOKS: Final = Profile(
    signature_header="webhook-signature",
    prefix="v1,",
    base="{id}.{timestamp}.",
    timestamp_header="webhook-timestamp",
    id_header="webhook-id",
    encoding="base64",
    several=True,
    key_prefix="whsec_",
)
ZENDESK: Final = Profile(
    signature_header="x-zendesk-webhook-signature",
    base="{timestamp}",
    timestamp_header="x-zendesk-webhook-signature-timestamp",
    encoding="base64",
    clock="iso",
)

#: More digits are no time in seconds, and int() of very many is slow.
_MAX_DIGITS = 15
_MAX_ISO_CHARS = 40
#: Of a rotation there are two or three; very many are somebody making us work.
_MAX_SIGNATURES = 8


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
        _check_time(profile, timestamp, now, window_s)
    header = headers.get(profile.signature_header, "").encode("latin-1", "replace")
    given = header.split()[:_MAX_SIGNATURES] if profile.several else [header]
    delivery = headers.get(profile.id_header, "") if profile.id_header is not None else ""
    signed = body.join(_filled(text, timestamp, delivery) for text in (profile.base, profile.tail))
    # All of them are compared, so that the time taken does not tell which one fits.
    fits = [
        hmac.compare_digest(_signature(profile, secret.get_secret_value(), signed), each)
        for secret in secrets
        for each in given
    ]
    if not any(fits):
        raise InvalidInput(
            Reason.BAD_SIGNATURE,
            f"{profile.signature_header} is missing or does not fit the body",
            remedy="Sign the raw body with the secret that is configured here.",
        )


def check_token(header: str, prefix: str, secrets: Sequence[SecretStr], headers: Mapping[str, str]) -> None:
    """The header holds one of `secrets` after `prefix`; raises InvalidInput UNAUTHENTICATED."""
    given = headers.get(header, "").encode("latin-1", "replace")
    fits = [hmac.compare_digest((prefix + secret.get_secret_value()).encode(), given) for secret in secrets]
    if not any(fits):
        raise InvalidInput(
            Reason.UNAUTHENTICATED,
            f"{header} is missing or not the token that is configured here",
            remedy=f"Send the token in {header}.",
        )


def _filled(text: str, timestamp: str, delivery: str) -> bytes:
    # The id comes last: it is the sender's own word, and may not bring a {timestamp} of its own.
    return text.replace("{timestamp}", timestamp).replace("{id}", delivery).encode("latin-1", "replace")


def _signature(profile: Profile, secret: str, signed: bytes) -> bytes:
    raw = hmac.new(_key(profile, secret), signed, profile.digest)
    encoded = raw.hexdigest() if profile.encoding == "hex" else base64.b64encode(raw.digest()).decode()
    return (profile.prefix + encoded).encode()


def _key(profile: Profile, secret: str) -> bytes:
    if profile.key_prefix is None or not secret.startswith(profile.key_prefix):
        return secret.encode()
    try:
        key = base64.b64decode(secret.removeprefix(profile.key_prefix), validate=True)
    except ValueError:
        key = b""
    if not key:
        # Anybody can sign with an empty one.
        raise ConfigurationError("a webhook's secret has no base64 after its prefix")
    return key


def _check_time(profile: Profile, timestamp: str, now: datetime, window_s: int) -> None:
    signed_at = _CLOCKS[profile.clock](timestamp)
    if signed_at is None or abs(now.timestamp() - signed_at) > window_s:
        raise InvalidInput(
            Reason.STALE_TIMESTAMP,
            f"the timestamp is missing, no time, or more than {window_s} s from now",
            remedy="Set the clock, and send the request when it is signed.",
        )


def _seconds(timestamp: str) -> float | None:
    plausible = timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= _MAX_DIGITS
    return int(timestamp) if plausible else None


def _milliseconds(timestamp: str) -> float | None:
    found = _seconds(timestamp)
    return found / 1_000 if found is not None else None


def _iso(timestamp: str) -> float | None:
    if not timestamp.isascii() or len(timestamp) > _MAX_ISO_CHARS:
        return None
    try:
        moment = datetime.fromisoformat(timestamp)
        # Without its zone it could be any of 26 hours.
        return moment.timestamp() if moment.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


_CLOCKS: Final = {"seconds": _seconds, "milliseconds": _milliseconds, "iso": _iso}
