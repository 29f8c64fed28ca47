"""One item of `POST /v1/feedback`, as it is sent. The schema people read is made of this."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, ConfigDict, Field, StringConstraints

from services.ingest.domain.sent import Email, Finite, Label, Sent, SentAttachment, Short
from shared.events.feedback import MAX_TEXT_CHARS, Affiliation, Change, Mode

MAX_TITLE_CHARS = 1_000


class Author(Sent):
    """Who said it. At most one of `email`, `slack` and `id`; a `name` alone is nobody we can look up."""

    email: Email | None = None
    slack: Short | None = Field(default=None, description="a Slack user id, U…")
    id: Short | None = Field(default=None, description="an id in the sending system")
    name: Short = ""
    verified: bool = Field(
        default=True,
        description="false when your system did not check that the address is theirs (a public form): "
        "they are then not recognised and not answered",
    )


class SentRating(Sent):
    value: Finite
    min: Finite = 1.0
    max: Finite = 5.0
    kind: Label = "stars"


class Item(Sent):
    """One piece of feedback. It needs `text` or an attachment; a deletion needs `external_id` alone."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "text": "The new invoice finally shows what each line is for. Keep it!",
                    "external_id": "ticket-4711",
                    "revision": 1,
                    "occurred_at": "2026-05-04T09:30:00Z",
                    "author": {"email": "ada@customer.example", "name": "Ada"},
                    "rating": {"value": 5, "min": 1, "max": 5},
                }
            ]
        }
    )

    text: str = Field(default="", max_length=MAX_TEXT_CHARS)
    title: str = Field(default="", max_length=MAX_TITLE_CHARS)
    occurred_at: AwareDatetime | None = Field(default=None, description="with its zone; when it was said")
    external_id: Annotated[str, StringConstraints(min_length=1, max_length=512)] | None = Field(
        default=None, description="your id of the thing itself: sent again it is the same piece"
    )
    revision: Annotated[int, Field(ge=0)] | AwareDatetime | None = Field(
        default=None,
        description="time of the last edit, or a version number; the highest one wins. Send it with every "
        "change of one external_id, or with none: without it the time of arrival counts, in µs since 1970, "
        "so a version number after a change without one counts as older and is never shown",
    )
    change: Change = Field(default=Change.CREATED, description="`deleted` takes the piece back for good")
    ordinal: Annotated[int, Field(ge=0, lt=2**31)] | None = Field(
        default=None,
        description="for imports, of an item without `external_id`: 0 for the first of all equal ones in the "
        "file, 1 for the second, … With it, sent again it is the same piece, whatever else is in the request",
    )
    thread_id: Short | None = None
    url: Annotated[str, StringConstraints(max_length=2_048)] | None = None
    channel: Label | None = Field(
        default=None, description="for imports: the channel it first came through, with its `source`"
    )
    source: Short | None = Field(
        default=None, description="the instance it is from: a form, a mailbox, a shop"
    )
    author: Author | None = None
    on_behalf_of: Author | None = Field(default=None, description="whose words a colleague passes on")
    affiliation: Affiliation | None = None
    rating: SentRating | None = None
    confidential: bool = Field(default=False, description="the author's name reaches nobody")
    product: Short | None = None
    touchpoint: Short | None = None
    brief: Short | None = None
    mode: Mode | None = Field(
        default=None, description="default: live (test for a key that may only test); import, backfill, test"
    )
    batch: Short | None = Field(
        default=None, description="your id of the import or backfill it is part of: one summary is made of it"
    )
    attachments: tuple[SentAttachment, ...] = Field(default=(), max_length=100)
