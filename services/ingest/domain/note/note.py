"""A note of a conversation, as it is sent: what a colleague heard, from whom, on what occasion."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, ConfigDict, Field

from services.ingest.domain.sent import Email, Sent, SentAttachment, Short
from shared.events.feedback import MAX_TEXT_CHARS, Affiliation, Mode, Occasion

_Answer = Annotated[str, Field(max_length=20_000)]


class Party(Sent):
    """Whose words they are. Nothing of it is needed: nobody asks for a name in a corridor."""

    name: Short = ""
    email: Email | None = None
    affiliation: Affiliation | None = Field(
        default=None, description="default: customer, where the account is one of the directory's"
    )


class Note(Sent):
    """What was heard in one conversation."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "lunch",
                    "by": "joao-pereira",
                    "on_behalf_of": {"name": "Anna Berg", "email": "anna@nordwind.example"},
                    "account": "nordwind",
                    "text": "She never knows which line of the bill is the one-off set-up.",
                    "would_keep": "The PDF by mail.",
                    "occurred_at": "2026-11-27T12:30:00+01:00",
                }
            ]
        }
    )

    kind: Occasion
    text: str = Field(max_length=MAX_TEXT_CHARS, description="what was said")
    by: Short | None = Field(
        default=None,
        description="who heard it, by their id in the directory; not needed with a key of their own",
    )
    on_behalf_of: Party = Party()
    account: Short = Field(default="", description="the account's id, name or domain; another name is kept")
    would_change: _Answer = ""
    would_keep: _Answer = ""
    touchpoint: Short | None = None
    occurred_at: AwareDatetime | None = Field(default=None, description="with its zone; default: just now")
    confidential: bool = Field(default=False, description="neither name reaches anybody")
    mode: Mode | None = Field(
        default=None, description="default: live (test for a key that may only test); test"
    )
    attachments: tuple[SentAttachment, ...] = Field(default=(), max_length=100)
