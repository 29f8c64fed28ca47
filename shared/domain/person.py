"""Colleagues: product managers and the agents who are their eyes and ears; and their departments."""

from __future__ import annotations

from pydantic import Field

from shared.domain.entity import Email, Entity, Id, Name, Text
from shared.domain.lens import Lens


class Department(Entity):
    id: Id
    name: Name
    lens: Lens


class Subscription(Entity):
    """Somebody wants every piece of a lens, from a certainty and a speaker's weight on."""

    lens: Lens
    min_score: float = Field(default=0.5, ge=0, le=1)
    min_weight: float = Field(default=0.0, ge=0)


class Person(Entity):
    """A colleague. The first address is where mail goes; all of them are recognised as this person."""

    id: Id
    name: Name
    department: Id
    emails: tuple[Email, ...] = ()
    slack_ids: tuple[str, ...] = Field(default=(), description="user ids (U…), the first is where notices go")
    title: Text = ""
    languages: tuple[str, ...] = ()
    subscriptions: tuple[Subscription, ...] = ()
