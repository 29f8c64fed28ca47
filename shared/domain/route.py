"""How notices travel: receivers, and a tree of routes after Alertmanager's.

A route matches on the labels of a piece (see `shared/domain/routing.py`). Children are tried in order, the
first that matches wins unless it says `continue`; a route that says nothing about its receiver inherits its
parent's.
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field, HttpUrl

from shared.domain.entity import Entity, Id


class ReceiverKind(StrEnum):
    """`people` reaches those who are involved, by `via` in order; the others are fixed places."""

    PEOPLE = "people"
    EMAIL = "email"
    SLACK = "slack"
    WEBHOOK = "webhook"


class ReceiverSpec(Entity):
    id: Id
    kind: ReceiverKind
    via: tuple[ReceiverKind, ...] = Field(
        default=(ReceiverKind.EMAIL,), description="people: first, then fallbacks"
    )
    address: str | None = Field(default=None, description="email: a mailbox; slack: a channel id (C…)")
    url: HttpUrl | None = Field(default=None, description="webhook: where it is posted")
    secret: str | None = Field(
        default=None, pattern=r"^secret:[a-z0-9_]+$", description="webhook: a reference"
    )


class Route(Entity):
    """`match` holds matchers like `urgency="urgent"`, `touchpoint=~"invoice.*"`; all of them must hold."""

    match: tuple[str, ...] = ()
    receiver: Id | None = None
    continue_: bool = Field(default=False, alias="continue")
    routes: tuple[Route, ...] = ()
