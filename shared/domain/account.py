"""Customer accounts, their contacts, and how much their voice counts."""

from __future__ import annotations

from datetime import date

from pydantic import EmailStr, Field

from shared.domain.entity import Entity, Id, Name


class Segment(Entity):
    """`fit`: how well it matches the target market; 1.0 is neutral."""

    id: Id
    name: Name
    fit: float = Field(default=1.0, ge=0, le=10)
    weight: float = Field(default=1.0, ge=0, le=10)


class Persona(Entity):
    id: Id
    name: Name
    weight: float = Field(default=1.0, ge=0, le=10)


class Contact(Entity):
    email: EmailStr
    name: Name
    persona: Id | None = None


class Account(Entity):
    """A customer. Whoever writes from one of its domains speaks for it."""

    id: Id
    name: Name
    domains: tuple[str, ...] = ()
    owner: Id | None = Field(default=None, description="the colleague who looks after it")
    segment: Id | None = None
    tier: str = "standard"
    yearly_value: int = Field(default=0, ge=0, description="in the workspace's currency")
    renewal: date | None = None
    quotable: bool = Field(default=False, description="consent to be quoted")
    contacts: tuple[Contact, ...] = ()
