"""One item of `POST /v1/feedback`, as it is sent. The schema people read is made of this."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from shared.events.feedback import MAX_TEXT_CHARS, Affiliation, Change, Mode

MAX_TITLE_CHARS = 1_000
_Short = Annotated[str, StringConstraints(max_length=512)]
_Label = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
#: Loose on purpose: pydantic's EmailStr takes 50 µs, ten times the rest of the item, and refuses addresses in
#: use inside companies (feedback@mail). Whether an address exists is seen when it is answered.
_EMAIL = r"^[^\s@<>,;\x00-\x1f]+@[^\s@<>,;\x00-\x1f]+$"
_Email = Annotated[str, StringConstraints(pattern=_EMAIL, max_length=320)]
_Finite = Annotated[float, Field(allow_inf_nan=False)]


class _Sent(BaseModel):
    """Closed and strict: a number where a word belongs is a mistake of the sender's, better said at once."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Author(_Sent):
    """Who said it. At most one of `email`, `slack` and `id`; a `name` alone is nobody we can look up."""

    email: _Email | None = None
    slack: _Short | None = Field(default=None, description="a Slack user id, U…")
    id: _Short | None = Field(default=None, description="an id in the sending system")
    name: _Short = ""
    verified: bool = Field(
        default=True,
        description="false when your system did not check that the address is theirs (a public form): "
        "they are then not recognised and not answered",
    )


class SentRating(_Sent):
    value: _Finite
    min: _Finite = 1.0
    max: _Finite = 5.0
    kind: _Label = "stars"


class SentAttachment(_Sent):
    """`content` is base64 (RFC 4648 section 4)."""

    name: _Short
    media_type: _Short = "application/octet-stream"
    content: str = Field(min_length=1, json_schema_extra={"contentEncoding": "base64"})


class Item(_Sent):
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
    thread_id: _Short | None = None
    url: Annotated[str, StringConstraints(max_length=2_048)] | None = None
    channel: _Label | None = Field(
        default=None, description="for imports: the channel it first came through, with its `source`"
    )
    source: _Short | None = Field(
        default=None, description="the instance it is from: a form, a mailbox, a shop"
    )
    author: Author | None = None
    on_behalf_of: Author | None = Field(default=None, description="whose words a colleague passes on")
    affiliation: Affiliation | None = None
    rating: SentRating | None = None
    confidential: bool = Field(default=False, description="the author's name reaches nobody")
    product: _Short | None = None
    touchpoint: _Short | None = None
    brief: _Short | None = None
    mode: Mode | None = Field(
        default=None, description="default: live (test for a key that may only test); import, backfill, test"
    )
    batch: _Short | None = Field(
        default=None, description="your id of the import or backfill it is part of: one summary is made of it"
    )
    attachments: tuple[SentAttachment, ...] = Field(default=(), max_length=100)
