"""Customer accounts, their contacts, and how much their voice counts."""

from __future__ import annotations

from datetime import date

from pydantic import Field

from shared.domain.entity import Email, Entity, Id, Name, Text
from shared.domain.rules import PersonaRule, SegmentRule

#: The largest whole number the database holds.
_MOST = 2**63 - 1


class Segment(Entity):
    """`fit`: how well it matches the target market; 1.0 is neutral."""

    id: Id
    name: Name
    fit: float = Field(default=1.0, ge=0, le=10)
    weight: float = Field(default=1.0, ge=0, le=10)
    rules: tuple[SegmentRule, ...] = Field(default=(), description="whom it is, where the account says none")


class Persona(Entity):
    id: Id
    name: Name
    weight: float = Field(default=1.0, ge=0, le=10)
    rules: tuple[PersonaRule, ...] = Field(default=(), description="whom it is, where the contact says none")


class Contact(Entity):
    email: Email
    name: Name
    title: Text = ""
    persona: Id | None = None


class Account(Entity):
    """A customer. Whoever writes from one of its domains speaks for it."""

    id: Id
    name: Name
    domains: tuple[str, ...] = ()
    owner: Id | None = Field(default=None, description="the colleague who looks after it")
    segment: Id | None = None
    tier: str = "standard"
    yearly_value: int | None = Field(
        default=None,
        ge=0,
        le=_MOST,
        description="in the workspace's currency; None is not known, 0 pays nothing",
    )
    renewal: date | None = None
    quotable: bool = Field(default=False, description="consent to be quoted")
    contacts: tuple[Contact, ...] = ()
