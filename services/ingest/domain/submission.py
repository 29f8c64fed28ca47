"""What a channel hands over: one piece of feedback as it came in, before anything was made of it.

A channel fills this in and nothing else. It cleans nothing, looks nobody up and stores nothing: that is the
pipeline's, so that a piece ends the same whichever door it came through.
"""

from __future__ import annotations

from dataclasses import field
from datetime import datetime
from typing import Literal

from shared.events.feedback import Affiliation, Change, Hints, Mode, Occasion, Rating, ReplyTo
from shared.value import value

ClaimKind = Literal["email", "slack", "person", "api"]


@value
class Claim:
    """Who says so, and whether the channel proved it.

    `verified` means proved: a signed Slack event, a mail whose sender is aligned, an API key that may speak
    for others. It decides who is recognised and who is answered, so in doubt it is False. An empty `address`
    is somebody anonymous. `kind` "person" is a colleague's id in the directory, "api" an id in the sender's
    own system, unique within the submission's `source`.
    """

    kind: ClaimKind
    address: str
    name: str = ""
    verified: bool = False


@value
class File:
    """An attachment as it came: `name` and `media_type` are the sender's word and are not believed."""

    name: str
    media_type: str
    content: bytes


@value
class Submission:
    """One piece, one change to it.

    `channel` is the channel's name, `source` the instance of it (workspace, mailbox, API key): constant for
    one thing, because with `external_id` (the provider's id of the *object*, not of the delivery) they make
    the feedback_id. `revision` is the provider's edit time in µs since 1970 or its version number; None when
    it gives neither. A deletion needs `external_id` and no text.

    `affiliation` is what the channel was told about whoever spoke (`spoken_for`, else `reported_by`); the
    directory knows better. `account` is the account, by id, that a colleague says `spoken_for` belongs to:
    who had the conversation knows that better than a mail domain does. `reply_to` is dropped unless
    `reported_by` is verified. `occurred_at` is None when not stated.

    `retry_key` is the sender's idempotency key, scoped to its API key. `ordinal` counts otherwise equal items
    of one request or one import (0, 1, …), so that two equal rows stay two pieces and a retry makes neither
    a third. `numbered` means that it counts them in the whole file: what has no date either is then the same
    piece again when the file is imported again.

    `strict` is for senders who read the answer and can mend their request (REST): what is absurd is refused
    with a problem. Otherwise it is replaced and noted, because nobody would send it again.

    `trace` is the W3C traceparent it came with.
    """

    channel: str
    source: str
    reported_by: Claim
    external_id: str | None = None
    revision: int | None = None
    change: Change = Change.CREATED
    mode: Mode = Mode.LIVE
    batch: str | None = None
    thread_id: str | None = None
    url: str | None = None
    title: str = ""
    text: str = ""
    files: tuple[File, ...] = ()
    spoken_for: Claim | None = None
    account: str | None = None
    occasion: Occasion | None = None
    affiliation: Affiliation | None = None
    confidential: bool = False
    rating: Rating | None = None
    reply_to: ReplyTo | None = None
    hints: Hints = field(default_factory=Hints)
    occurred_at: datetime | None = None
    retry_key: str | None = None
    ordinal: int = 0
    numbered: bool = False
    strict: bool = False
    trace: str | None = None
