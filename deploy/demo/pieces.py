"""What people say in the demo (`pieces.yaml`), and what a careful reader expects of each piece."""

from __future__ import annotations

from enum import StrEnum
from importlib import resources

import yaml
from pydantic import AwareDatetime, BaseModel, ConfigDict, TypeAdapter

from shared.events.feedback import About, Affiliation, Kind, Polarity, Urgency


class Door(StrEnum):
    REST = "rest"
    SLACK = "slack"
    MAIL = "mail"


class Act(StrEnum):
    """What is done. The second group changes or repeats an earlier piece, the third is trouble."""

    SAY = "say"
    HTML = "html"
    REPLY = "reply"
    CONFIDENTIAL = "confidential"
    BACKFILL = "backfill"

    EDIT = "edit"
    DELETE = "delete"
    REPEAT = "repeat"

    BROKEN_JSON = "broken_json"
    BROKEN_ITEM = "broken_item"
    AUTO_REPLY = "auto_reply"
    BOUNCE = "bounce"
    FORGED = "forged"
    WRONG_RECIPIENT = "wrong_recipient"
    BAD_SIGNATURE = "bad_signature"
    STALE = "stale"
    BOT = "bot"


class Outcome(StrEnum):
    """What becomes of a piece at the door. `half`: one of two items is refused, its neighbour is kept."""

    KEPT = "kept"
    EDITED = "edited"
    DELETED = "deleted"
    REPEATED = "repeated"
    HALF = "half"
    REFUSED = "refused"
    QUARANTINED = "quarantined"
    IGNORED = "ignored"


class _Declared(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Tags(_Declared):
    """What is left out is not compared."""

    touchpoint: str | None = None
    polarity: Polarity | None = None
    kind: Kind | None = None
    about: About | None = None
    urgency: Urgency | None = None
    language: str | None = None
    needs_triage: bool | None = None


class Piece(_Declared):
    """`told` are people who must hear of it, () that nobody may; `hidden` are words no notice may hold."""

    id: str
    door: Door
    who: str = ""
    name: str = ""
    act: Act = Act.SAY
    of: str | None = None
    text: str = ""
    subject: str = ""
    charset: str = "utf-8"
    file: str | None = None
    rating: int | None = None
    affiliation: Affiliation | None = None
    external_id: str | None = None
    occurred_at: AwareDatetime | None = None
    outcome: Outcome = Outcome.KEPT
    expect: Tags = Tags()
    must: Tags = Tags()
    told: tuple[str, ...] | None = None
    acknowledged: bool = True
    confidential: bool = False
    hidden: tuple[str, ...] = ()
    redacted: str | None = None
    deleted_later: bool = False

    @property
    def is_new(self) -> bool:
        """Whether a document comes of it, to be classified and told."""
        return self.outcome in {Outcome.KEPT, Outcome.HALF}


def load_pieces() -> tuple[Piece, ...]:
    """All of them, in the order in which they are sent."""
    text = resources.files(__package__).joinpath("pieces.yaml").read_text(encoding="utf-8")
    return TypeAdapter(tuple[Piece, ...]).validate_python(yaml.safe_load(text))
