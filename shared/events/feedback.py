"""A piece of feedback on the wire: as received, and as classified.

`FeedbackClassified` carries everything `FeedbackReceived` does, so that a notifier needs no second look-up.
Every closed list of words says what one means that only a newer release knows (`Else`).
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field, OnErrorOmit

from shared import ids
from shared.domain.lens import Lens
from shared.events.base import Event, Moment, Wire
from shared.events.words import Else

MAX_TEXT_CHARS = 100_000


class Change(StrEnum):
    CREATED = "created"
    EDITED = "edited"
    DELETED = "deleted"


class Mode(StrEnum):
    """How a piece came to us. Only `live` ones may alert or be acknowledged."""

    LIVE = "live"
    BACKFILL = "backfill"
    IMPORT = "import"
    REPLAY = "replay"
    TEST = "test"


class Occasion(StrEnum):
    """The conversation in which a colleague heard it."""

    TALK = "talk"
    CALL = "call"
    LUNCH = "lunch"
    TRAINING = "training"
    USER_TEST = "user_test"
    OTHER = "other"


class Affiliation(StrEnum):
    CUSTOMER = "customer"
    PROSPECT = "prospect"
    PARTNER = "partner"
    PROVIDER = "provider"
    COLLEAGUE = "colleague"
    UNKNOWN = "unknown"


class Speaker(Wire):
    """Somebody who spoke, or for whom somebody spoke. Of a confidential one only the codename is left."""

    person_id: str
    display_name: str = ""
    affiliation: Annotated[Affiliation, Else(Affiliation.UNKNOWN)] = Affiliation.UNKNOWN
    department: str | None = None
    account: str | None = None
    segment: str | None = None
    persona: str | None = None


class Attachment(Wire):
    id: str
    name: str
    media_type: str
    size_bytes: int = Field(ge=0)
    sha256: str


class Rating(Wire):
    value: float
    min: float
    max: float
    kind: str = "stars"


class ReplyTo(Wire):
    """Where the contributor is answered. `contributor` as receiver means: sealed, opened only to answer."""

    receiver: str
    address: str
    thread: str | None = None
    auto_generated: bool = False


class Hints(Wire):
    """What the channel already knows; stronger than a guess, weaker than a correction."""

    product: str | None = None
    touchpoint: str | None = None
    brief: str | None = None


class FeedbackReceived(Event):
    """Topic `feedback.received.v1` (live) and `feedback.received.bulk.v1` (imports, backfills)."""

    type: ClassVar[str] = "listeningpost.feedback.received.v1"

    feedback_id: str
    revision: int = Field(
        ge=0, description="µs of the provider's edit time, else its version, else received_at"
    )
    change: Annotated[Change, Else(Change.EDITED)] = Change.CREATED
    mode: Annotated[Mode, Else(Mode.BACKFILL)] = Mode.LIVE
    batch: str | None = Field(default=None, description="the import or backfill it came with")
    channel: str
    source: str
    external_id: str | None = None
    thread_id: str | None = None
    url: str | None = None
    title: str = ""
    text: str = Field(default="", max_length=MAX_TEXT_CHARS)
    truncated: bool = False
    content_hash: str = ""
    attachments: tuple[Attachment, ...] = ()
    reported_by: Speaker
    spoken_for: Speaker | None = None
    occasion: str | None = Field(default=None, description="the conversation a colleague heard it in")
    confidential: bool = False
    codename: str | None = None
    rating: Rating | None = None
    reply_to: ReplyTo | None = None
    hints: Hints = Hints()
    occurred_at: Moment
    received_at: Moment

    @property
    def event_id(self) -> str:
        return ids.event_id(self.type, self.feedback_id, str(self.revision), self.change)

    @property
    def key(self) -> str:
        return self.feedback_id

    @property
    def happened_at(self) -> datetime:
        return self.received_at


class Polarity(StrEnum):
    """What should happen to the product, not the tone of voice."""

    KEEP = "keep"
    CHANGE = "change"
    MIXED = "mixed"
    NEUTRAL = "neutral"


class Kind(StrEnum):
    PRAISE = "praise"
    PROBLEM = "problem"
    IDEA = "idea"
    QUESTION = "question"
    RISK = "risk"
    EXAMPLE = "example"
    OTHER = "other"


class About(StrEnum):
    US = "us"
    COMPETITOR = "competitor"
    PROVIDER = "provider"
    OTHER = "other"


class Urgency(StrEnum):
    NORMAL = "normal"
    URGENT = "urgent"


class UrgencyReason(StrEnum):
    """Why a piece is urgent; the values of `Tags.urgency_reasons`."""

    MAY_LEAVE = "may_leave"
    OUTAGE = "outage"
    LEGAL_THREAT = "legal_threat"
    SAFETY = "safety"


class TriageReason(StrEnum):
    """Why a human has to look; the values of `Tags.triage_reason`."""

    NO_WORDS = "no_words"
    NO_TOUCHPOINT = "no_touchpoint"
    UNCLEAR = "unclear"


class Cause(StrEnum):
    """Why a classified event was published; the notifier decides by it who is told."""

    RECEIVED = "received"
    EDITED = "edited"
    DELETED = "deleted"
    CORRECTED = "corrected"
    RECLASSIFIED = "reclassified"


class Evidence(Wire):
    """A span of the piece: `field` is title or text; offsets count code points; `quote` is that span."""

    field: str
    start: int = Field(ge=0)
    end: int = Field(ge=0)
    quote: str


class TouchpointTag(Wire):
    id: str
    score: float = Field(ge=0, le=1)
    evidence: tuple[Evidence, ...] = ()


class LensTag(Wire):
    id: Lens
    score: float = Field(ge=0, le=1)
    evidence: tuple[Evidence, ...] = ()


class Judgement(Wire):
    """Evidence for a tag that has one value only (polarity, kind, about, urgency)."""

    tag: str
    value: str
    evidence: tuple[Evidence, ...] = ()
    reason: str = ""


class Weight(Wire):
    """The speaker's weight: the product of its parts. `known` is false when all parts are defaults."""

    value: float = Field(default=1.0, ge=0)
    parts: dict[str, float] = Field(default_factory=dict)
    known: bool = False


class Tags(Wire):
    products: tuple[str, ...] = ()
    touchpoints: tuple[TouchpointTag, ...] = ()
    # One that names a lens which only a newer release has is left out.
    lenses: tuple[OnErrorOmit[LensTag], ...] = ()
    polarity: Annotated[Polarity, Else(Polarity.NEUTRAL)] = Polarity.NEUTRAL
    kind: Annotated[Kind, Else(Kind.OTHER)] = Kind.OTHER
    about: Annotated[About, Else(About.OTHER)] = About.US
    urgency: Annotated[Urgency, Else(Urgency.NORMAL)] = Urgency.NORMAL
    urgency_reasons: tuple[str, ...] = ()
    judgements: tuple[Judgement, ...] = ()
    language: str = "und"
    weight: Weight = Weight()
    needs_triage: bool = False
    triage_reason: str | None = None


class FeedbackClassified(FeedbackReceived):
    """Topic `feedback.classified.v1`. A `deleted` one is a tombstone: no text, no people, no tags."""

    type: ClassVar[str] = "listeningpost.feedback.classified.v1"

    # Nobody is told for a cause that this release does not know.
    cause: Annotated[Cause, Else(Cause.RECLASSIFIED)]
    tag_revision: int = Field(ge=0)
    tags: Tags = Tags()
    model_version: str = ""
    directory_version: int = 0
    classified_at: Moment

    @property
    def event_id(self) -> str:
        return ids.event_id(
            self.type, self.feedback_id, str(self.revision), str(self.tag_revision), self.cause
        )

    @property
    def happened_at(self) -> datetime:
        return self.classified_at
