"""A delivery: one notice to one recipient, and where it stands. The words of the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.domain.summary import Summary


class Purpose(StrEnum):
    """`amendment` tells of an edit of what was sent, `redaction` takes it back; both say what they amend.

    `summary` tells of many pieces at once, and of none of them alone.
    """

    NOTICE = "notice"
    ACKNOWLEDGEMENT = "acknowledgement"
    AMENDMENT = "amendment"
    REDACTION = "redaction"
    SUMMARY = "summary"


class State(StrEnum):
    """`sending` is claimed by a worker under a lease; the last four are final.

    `held`: it may have been told before a restore, and waits for somebody to decide. `unknown`: it may or may
    not have arrived, and nobody can be asked. `cancelled`: no longer wanted.
    """

    DUE = "due"
    HELD = "held"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"
    CANCELLED = "cancelled"


#: The receiver of a sealed address: it is opened at the moment of sending and never written to the ledger.
SEALED = "contributor"
#: The recipient of an acknowledgement, and the prefix of those that are places, not people.
CONTRIBUTOR = "contributor"
PLACE = "place:"


@dataclass(frozen=True, slots=True)
class Target:
    """One link of the chain: `receiver` email, slack, webhook or `SEALED`; `address` as that one means it.

    `thread` is what an answer joins: a Slack timestamp, or Message-IDs, the newest last. `secret` is a
    reference ("secret:name"), never a value.
    """

    receiver: str
    address: str
    thread: str | None = None
    secret: str | None = None


@dataclass(frozen=True, slots=True)
class ProviderRef:
    """What the other side knows the message by: by it the message is edited, deleted or answered."""

    receiver: str
    address: str
    id: str


@dataclass(frozen=True, slots=True)
class Content:
    """What a notice says of a piece, in words and as far as its readers may know. Empty once withdrawn.

    `text` is at most `MAX_TEXT_CHARS` characters; `shortened` says that there is more.
    """

    title: str = ""
    text: str = ""
    shortened: bool = False
    who: str = ""
    channel: str = ""
    url: str | None = None
    touchpoints: tuple[str, ...] = ()
    lenses: tuple[str, ...] = ()
    polarity: str = ""
    kind: str = ""
    about: str = ""
    urgency_reasons: tuple[str, ...] = ()
    attachments: tuple[str, ...] = ()
    rating: str = ""
    language: str = "und"
    needs_triage: bool = False
    triage_reason: str = ""
    confidential: bool = False
    occurred_at: datetime | None = None


MAX_TEXT_CHARS = 2_000
WITHDRAWN = Content()


@dataclass(frozen=True, slots=True)
class Delivery:
    """One row. `recipient` is a person's id, "place:" and a receiver's id, or `CONTRIBUTOR`.

    `chain[position]` is where it goes next; `due_at` is when. `tries` counts the attempts at this position
    that came to nothing, `trying_since` is when the first of them was; `claimed_at` is when a worker last
    took the row up, `held_at` since when it is held. `revision` is that of the piece as `content` shows it. A
    row of the purpose summary has `summary` instead, and is of no one piece: its `feedback_id` is empty.
    """

    id: str
    notice_id: str
    feedback_id: str
    purpose: Purpose
    recipient: str
    chain: tuple[Target, ...]
    due_at: datetime
    revision: int
    received_at: datetime
    content: Content = WITHDRAWN
    why: tuple[str, ...] = ()
    urgent: bool = False
    state: State = State.DUE
    position: int = 0
    tries: int = 0
    trying_since: datetime | None = None
    amends: str | None = None
    in_place_only: bool = False
    provider_ref: ProviderRef | None = None
    problem: str | None = None
    claimed_at: datetime | None = None
    held_at: datetime | None = None
    trace: str | None = None
    summary: Summary | None = None

    @property
    def target(self) -> Target | None:
        """Where it goes next; None when there is nowhere (left) to go."""
        return self.chain[self.position] if self.position < len(self.chain) else None


class Attempt(StrEnum):
    """How an attempt ended; a metric label."""

    SENT = "sent"
    TRANSIENT = "transient"
    PERMANENT = "permanent"
    UNKNOWN = "unknown"
    FOUND = "found"
    NOT_FOUND = "not_found"
    DEFERRED = "deferred"
    VOID = "void"


@dataclass(frozen=True, slots=True)
class Settled:
    """What the ledger is to write down. `state` sending means: nobody knows yet, ask again at `due_at`."""

    attempt: Attempt
    state: State
    position: int
    due_at: datetime
    tries: int = 0
    trying_since: datetime | None = None
    problem: str | None = None
    provider_ref: ProviderRef | None = None
