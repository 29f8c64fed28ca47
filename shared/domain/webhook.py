"""Webhooks of others, as the workspace declares them: how they prove who they are, what a body becomes."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Final, Literal

from pydantic import Field

from shared.domain.entity import Entity, Id
from shared.domain.mapping import Flaw, expression_fault, target_faults
from shared.events.feedback import Affiliation

BODY: Final = "{body}"
TIMESTAMP: Final = "{timestamp}"
Secret = Field(pattern=r"^secret:[a-z0-9_]+$")


class Scheme(StrEnum):
    """How a sender proves who it is. There is none without a secret."""

    STANDARD_WEBHOOKS = "standard-webhooks"
    HMAC = "hmac"
    TOKEN = "token"  # noqa: S105 - the name of a scheme


class Verification(Entity):
    """`header` is where the signature (hmac) or the token stands, `prefix` what stands before it there.

    `signed` is the text an hmac is over, with {timestamp} from the `timestamp_header` and {body}. What a
    sender that signs no time has sent can be sent again by whoever has recorded it.
    """

    scheme: Scheme
    secret: str = Secret
    previous_secret: str | None = Field(default=None, pattern=r"^secret:[a-z0-9_]+$")
    header: str | None = Field(default=None, pattern=r"^[A-Za-z0-9-]{1,64}$")
    prefix: str = ""
    encoding: Literal["hex", "base64"] = "hex"
    digest: Literal["sha256", "sha1"] = "sha256"
    timestamp_header: str | None = Field(default=None, pattern=r"^[A-Za-z0-9-]{1,64}$")
    timestamp: Literal["seconds", "milliseconds", "iso"] = "seconds"
    signed: str = Field(default=BODY, max_length=200, pattern=r"^[ -~]+$")

    @property
    def secrets(self) -> tuple[str, ...]:
        """References to the secrets that are taken, the newest first."""
        return (self.secret, self.previous_secret) if self.previous_secret else (self.secret,)


class Webhook(Entity):
    """`items` leads to the list of pieces in a body, `skip` is true for one that is no feedback."""

    id: Id
    channel: Id = "webhook"
    source: Id
    verify: Verification
    items: str | None = None
    skip: str | None = None
    map: dict[str, str]
    affiliation: Affiliation | None = None
    product: Id | None = None
    touchpoint: Id | None = None

    def expressions(self) -> Iterator[tuple[tuple[str, ...], str]]:
        """Each expression and the path to it."""
        if self.items is not None:
            yield ("items",), self.items
        if self.skip is not None:
            yield ("skip",), self.skip
        for target, expression in self.map.items():
            yield ("map", target), expression


def faults(webhook: Webhook) -> Iterator[Flaw]:
    """Everything that is wrong with the declaration."""
    yield from target_faults(webhook.map)
    for field, wrong, remedy in _verification_faults(webhook.verify):
        yield ("verify", *field), wrong, remedy
    for path, expression in webhook.expressions():
        yield from expression_fault(path, expression)


def _verification_faults(verify: Verification) -> Iterator[Flaw]:
    timed = verify.timestamp_header is not None
    if verify.scheme is not Scheme.HMAC:
        if timed or verify.signed != BODY:
            which = ("timestamp_header",) if timed else ("signed",)
            yield which, f"`{verify.scheme}` has no signed text of your own", "leave it out, or use `hmac`"
        return
    if verify.header is None:
        yield (), "`hmac` needs the `header` with the signature", "add `header: X-Signature`"
    if verify.signed.count(BODY) != 1:
        yield ("signed",), "the body is not once in the signed text", f'write like "{TIMESTAMP}.{BODY}"'
    elif timed and verify.signed.count(TIMESTAMP) != 1:
        # Anybody could send a recorded request again with the time of today.
        yield (
            ("signed",),
            "the timestamp is not once in the signed text, so it proves nothing",
            f'write like `signed: "{TIMESTAMP}.{BODY}"`, or leave `timestamp_header` out',
        )
    elif not timed and TIMESTAMP in verify.signed:
        yield ("signed",), "no `timestamp_header` says where the timestamp is", "add `timestamp_header`"
    elif "{" in verify.signed.replace(BODY, "").replace(TIMESTAMP, ""):
        yield ("signed",), f"only {TIMESTAMP} and {BODY} are filled in", "leave other braces out"
